// Sets theme, size of the text, language and direction before the first paint; the page forbids inline scripts, so this is a file.
{
  const root = document.documentElement;
  const stored = (name) => {
    try {
      return localStorage.getItem(`luxx:${name}`);
    } catch {
      return null; // Storage may be closed: what the browser prefers stands.
    }
  };
  const theme = stored('theme');
  if (theme === 'light' || theme === 'dark') {
    root.dataset.theme = theme;
    // The frame of the window, which follows the system else; its tags come after this script.
    addEventListener('DOMContentLoaded', () => {
      const frames = document.querySelectorAll('meta[name=theme-color]');
      for (const frame of frames) frame.media = frame.dataset.of === theme ? 'all' : 'not all';
    });
  }

  const size = stored('text');
  if (size === 'small' || size === 'large') root.dataset.text = size;

  // The last two are for tests: see `text/pseudo.ts`.
  const languages = ['en', 'de', 'zh-Hans', 'en-XA', 'en-XB'];
  const preferred = navigator.languages.map((tag) => languages.find((one) => one.slice(0, 2) === tag.slice(0, 2)));
  const chosen = stored('language');
  root.lang = languages.includes(chosen) ? chosen : (preferred.find(Boolean) ?? 'en');
  root.dir = root.lang === 'en-XB' ? 'rtl' : 'ltr';
}
