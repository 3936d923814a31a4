/** Saves a code block as a file, under a name that fits its language. */

/** The endings of languages that are not their own ending, under all the names that they are called by. */
const ENDINGS: Record<string, string> = {
  bash: 'sh',
  'c++': 'cpp',
  'c#': 'cs',
  clojure: 'clj',
  console: 'sh',
  cplusplus: 'cpp',
  csharp: 'cs',
  elixir: 'ex',
  erlang: 'erl',
  'f#': 'fs',
  fortran: 'f90',
  fsharp: 'fs',
  golang: 'go',
  handlebars: 'hbs',
  haskell: 'hs',
  javascript: 'js',
  jsonlines: 'jsonl',
  julia: 'jl',
  kotlin: 'kt',
  latex: 'tex',
  markdown: 'md',
  matlab: 'm',
  mermaid: 'mmd',
  mysql: 'sql',
  node: 'js',
  'objective-c': 'm',
  objectivec: 'm',
  ocaml: 'ml',
  pascal: 'pas',
  perl: 'pl',
  plsql: 'sql',
  postgres: 'sql',
  postgresql: 'sql',
  powershell: 'ps1',
  prolog: 'pro',
  protobuf: 'proto',
  pwsh: 'ps1',
  python: 'py',
  python3: 'py',
  racket: 'rkt',
  ruby: 'rb',
  rust: 'rs',
  scheme: 'scm',
  shell: 'sh',
  sqlite: 'sql',
  systemverilog: 'sv',
  terraform: 'tf',
  typescript: 'ts',
  verilog: 'v',
  visualbasic: 'vb',
  zsh: 'sh',
};

/** Languages whose short name is the ending. */
const SHORT = new Set(
  (
    'asm astro bat c cc clj cpp cs css csv cts cue cypher dart diff erl ex fish fs glsl go gql gradle graphql groovy h hcl hpp hs htm html ini ' +
    'java jl js json json5 jsonc jsonl jsx kt less lisp lua m md mdx mjs ml mts nim nix patch php pl proto ps1 py r rb rs sass scala scss ' +
    'sh sol sql svelte svg swift tex tf toml ts tsx tsv txt v vb vue wgsl xml yaml yml zig'
  ).split(' '),
);

/** Files that are known by their names. */
const NAMES: Record<string, string> = {
  cmake: 'CMakeLists.txt',
  docker: 'Dockerfile',
  dockerfile: 'Dockerfile',
  make: 'Makefile',
  makefile: 'Makefile',
  nginx: 'nginx.conf',
};

/** Return the name of a file with code in this language; a language that looks like a file name is one. */
export function fileName(language: string): string {
  if (Object.hasOwn(NAMES, language)) return NAMES[language] ?? '';
  if (Object.hasOwn(ENDINGS, language)) return `code.${ENDINGS[language]}`;
  if (SHORT.has(language)) return `code.${language}`;
  return /^[\w-]+\.[a-z\d]{1,8}$/.test(language) ? language : 'code.txt';
}

/** Let the browser save the code, which ends with a line end as files do. */
export function saveCode(code: string, language: string): void {
  const url = URL.createObjectURL(new Blob([`${code}\n`], { type: 'text/plain;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName(language);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
