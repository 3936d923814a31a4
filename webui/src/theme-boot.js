// Sets the chosen theme before the first paint; the page forbids inline scripts, so this is a file.
try {
  const theme = localStorage.getItem('luxx:theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be closed: the system's theme stands.
}
