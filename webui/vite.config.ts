/// <reference types="vitest/config" />
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, minifySync, transformWithOxc, type HtmlTagDescriptor, type Plugin } from 'vite';

/** The theme must be known before the first paint: a tiny blocking script of its own, since the page forbids inline ones. */
function blockingScript(file: string): Plugin {
  let reference: string | undefined;
  let serving = false;
  return {
    name: 'blocking-script',
    configResolved(config) {
      serving = config.command === 'serve';
    },
    buildStart() {
      if (!serving) {
        reference = this.emitFile({ type: 'asset', name: 'theme.js', source: small(file, readFileSync(file, 'utf8')) });
      }
    },
    transformIndexHtml: {
      order: 'post',
      handler(_html, context) {
        const built = Object.values(context.bundle ?? {}).find(
          (item) => item.type === 'asset' && item.names[0] === 'theme.js',
        );
        const src = reference && built ? `/${built.fileName}` : `/${file}`;
        return [{ tag: 'script', attrs: { src }, injectTo: 'head-prepend' }];
      },
    },
  };
}

/**
 * Parts that most visits need right after the entry are asked for together with it, so that they cost no round trip of their own; the
 * entry runs without waiting for them.
 */
function early(...modules: string[]): Plugin {
  return {
    name: 'early',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html, context) {
        const chunks = Object.values(context.bundle ?? {}).filter((item) => item.type === 'chunk');
        const parts = modules.map((module) => chunks.find((chunk) => chunk.facadeModuleId?.endsWith(module)));
        if (parts.includes(undefined)) throw new Error(`One of ${modules.join(', ')} is no part of its own.`);
        const fresh = (files: Iterable<string>) => [...new Set(files)].filter((file) => !html.includes(file));
        const first = fresh(chunks.filter((chunk) => chunk.isEntry).flatMap((chunk) => chunk.imports));
        const later = fresh(parts.flatMap((part) => (part ? [part.fileName, ...part.imports] : [])));
        return [
          ...first.map((file) => link('modulepreload', file)),
          ...later.filter((file) => !first.includes(file)).map((file) => link('modulepreload', file, LATER)),
        ];
      },
    },
  };
}

function small(name: string, script: string): string {
  return minifySync(name, script).code;
}

const LATER = { fetchpriority: 'low' };

function link(rel: string, file: string, attrs: Record<string, string> = {}): HtmlTagDescriptor {
  return { tag: 'link', attrs: { rel, crossorigin: true, href: `/${file}`, ...attrs }, injectTo: 'head' };
}

/** The worker that opens the page without its server: one file without a hash, told of all others but the fonts, which few pages use. */
function serviceWorker(file: string): Plugin {
  return {
    name: 'service-worker',
    apply: 'build',
    async generateBundle(_options, bundle) {
      const files = Object.keys(bundle).filter((name) => /^assets\/.*\.(?:js|css)$/.test(name));
      const entry = Object.values(bundle).find((item) => item.type === 'chunk' && item.isEntry)?.fileName;
      const names = files.sort().map((name) => `/${name}`);
      const id = createHash('sha256')
        .update(names.join())
        .update(readFileSync('index.html'))
        .digest('hex')
        .slice(0, 16);
      const { code } = await transformWithOxc(readFileSync(file, 'utf8'), file);
      const script = code.replace('export {};', ''); // Is left of a module that imports only types.
      const source = `const BUILD = ${JSON.stringify({ id, entry, files: names })};\n${small(file, script)}`;
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

/** Every browser that runs this page reads woff2: the older formats of KaTeX's fonts would triple its size. */
function onlyWoff2(): Plugin {
  return {
    name: 'only-woff2',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('katex') || !id.includes('.css')) return null;
      return code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\("(?:woff|truetype)"\)/g, '');
    },
  };
}

/** The server sends a file's compressed form if it lies beside it. */
function compressed(): Plugin {
  let folder = '';
  return {
    name: 'compressed',
    apply: 'build',
    configResolved(config) {
      folder = resolve(config.root, config.build.outDir);
    },
    closeBundle() {
      for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
        if (!/\.(?:js|css|html|svg)$/.test(file)) continue;
        const path = join(folder, file);
        const body = readFileSync(path);
        if (body.length < 1024) continue;
        writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }));
        writeFileSync(`${path}.br`, brotliCompressSync(body));
      }
    },
  };
}

/** All but what only parts share that are opened later. */
const EARLY = /^(?!.*\/(?:ui\/(?:setup|keeping|Rules|Rows)|state\/tool-|api\/tool-|text\/(?:en-)?setup))/;

const backend = process.env['LUXX_DEV_API'] ?? 'http://127.0.0.1:8431';

export default defineConfig({
  plugins: [
    svelte(),
    blockingScript('src/theme-boot.js'),
    early('/ui/conversation.ts', '/ui/ConversationList.svelte'),
    onlyWoff2(),
    serviceWorker('src/sw/worker.ts'),
    compressed(),
  ],
  build: {
    outDir: '../src/luxx/http/page',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: true,
    // All of it is small: one request, and no part waits for its own.
    cssCodeSplit: false,
    // What two parts share is one file, not one for each set of parts that share something.
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: 'shared', test: EARLY, minShareCount: 2 }] } } },
  },
  server: { port: 5173, proxy: { '/api': { target: backend, changeOrigin: true, headers: { origin: backend } } } },
  test: { environment: 'jsdom', include: ['src/**/*.test.ts'], setupFiles: ['src/test-setup.ts'], testTimeout: 20_000 },
  resolve: process.env['VITEST'] ? { conditions: ['browser'] } : {},
});
