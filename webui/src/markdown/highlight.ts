/** Syntax colours for the languages that most answers are written in; loaded when the first code block is complete. */
import type { LanguageFn } from 'highlight.js';
import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import dockerfile from 'highlight.js/lib/languages/dockerfile';
import go from 'highlight.js/lib/languages/go';
import ini from 'highlight.js/lib/languages/ini';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import python from 'highlight.js/lib/languages/python';
import rust from 'highlight.js/lib/languages/rust';
import shell from 'highlight.js/lib/languages/shell';
import sql from 'highlight.js/lib/languages/sql';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';

function register(languages: Record<string, LanguageFn>): void {
  for (const [name, definition] of Object.entries(languages)) hljs.registerLanguage(name, definition);
}

register({ bash, c, cpp, css, diff, dockerfile, go, ini, java, javascript, json, python });
register({ rust, shell, sql, typescript, xml, yaml });
hljs.registerAliases(['svelte', 'vue'], { languageName: 'xml' });
hljs.registerAliases(['jsonc', 'json5'], { languageName: 'json' });

const RARER = new Set(
  ['csharp cs c# kotlin kt kts lua makefile mk make php r', 'ruby rb swift scala perl pl powershell ps ps1 haskell hs']
    .join(' ')
    .split(' '),
);

/** Return the code with its parts in spans, as escaped HTML; undefined for a language that is not here. */
export async function highlight(code: string, language: string): Promise<string | undefined> {
  if (!hljs.getLanguage(language) && RARER.has(language)) register((await import('./highlight-rarer')).rarer);
  if (!hljs.getLanguage(language)) return undefined;
  return hljs.highlight(code, { language, ignoreIllegals: true }).value;
}
