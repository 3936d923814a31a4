import { describe, expect, it, vi } from 'vitest';
import { enSetup } from '../text/en-setup';

async function on(platform: string): Promise<typeof import('./shortcuts')> {
  vi.resetModules();
  vi.stubGlobal('navigator', { platform });
  const loaded = await import('./shortcuts');
  vi.unstubAllGlobals();
  return loaded;
}

const press = (key: string, code: string, held: Partial<KeyboardEventInit> = { altKey: true }) =>
  new KeyboardEvent('keydown', { key, code, ...held });

describe('shortcuts', () => {
  it('go by what is written on the key', async () => {
    const { shortcutFor } = await on('Win32');
    expect(shortcutFor(press('n', 'KeyN'), false)).toBe('newChat');
    expect(shortcutFor(press('w', 'KeyZ'), false)).toBe('waiting');
    expect(shortcutFor(press('m', 'Semicolon'), false)).toBe('composer');
    expect(shortcutFor(press(',', 'KeyM'), false)).toBeUndefined();
  });

  it('go by the place of the key where letters are not Latin', async () => {
    const { shortcutFor } = await on('Linux x86_64');
    expect(shortcutFor(press('т', 'KeyN'), false)).toBe('newChat');
    expect(shortcutFor(press('Process', 'KeyN'), false)).toBe('newChat');
  });

  it('leave AltGr and the signs of a Mac alone', async () => {
    const windows = await on('Win32');
    expect(windows.shortcutFor(press('µ', 'KeyM', { altKey: true, ctrlKey: true }), false)).toBeUndefined();
    expect(windows.shortcutFor(press('µ', 'KeyM', { altKey: true, modifierAltGraph: true }), false)).toBeUndefined();
    const mac = await on('MacIntel');
    expect(mac.shortcutFor(press('Dead', 'KeyN'), false)).toBeUndefined();
    expect(mac.shortcutFor(press('N', 'KeyN', { ctrlKey: true, shiftKey: true }), false)).toBe('newChat');
    expect(mac.shortcutFor(press('n', 'KeyN', { ctrlKey: true, altKey: true }), false)).toBeUndefined();
    expect([mac.keysOf('newChat'), windows.keysOf('newChat')]).toEqual(['Ctrl Shift N', 'Alt N']);
  });

  it('search with the key that is usual on the machine, also while one writes', async () => {
    const held = (named: 'ctrlKey' | 'metaKey', more = {}) => press('k', 'KeyK', { [named]: true, ...more });
    const windows = await on('Win32');
    expect(windows.shortcutFor(held('ctrlKey'), false)).toBe('search');
    expect(windows.shortcutFor(press('л', 'KeyK', { ctrlKey: true }), false)).toBe('search');
    for (const other of [held('metaKey'), held('ctrlKey', { shiftKey: true }), held('ctrlKey', { altKey: true })])
      expect(windows.shortcutFor(other, false)).toBeUndefined();
    const mac = await on('MacIntel');
    expect(mac.shortcutFor(held('metaKey'), false)).toBe('search');
    expect(mac.shortcutFor(held('ctrlKey'), false)).toBeUndefined();
    expect([mac.here('Ctrl K'), mac.here('Strg Z'), windows.here('Ctrl K')]).toEqual(['Cmd K', 'Cmd Z', 'Ctrl K']);
  });

  it('are not taken from a word that is being composed', async () => {
    const { shortcutFor } = await on('Win32');
    expect(shortcutFor(press('n', 'KeyN', { altKey: true, isComposing: true }), false)).toBeUndefined();
  });

  it('stand in the list, in every language', async () => {
    const { LETTERS } = await on('Win32');
    const { setup } = await import('../text/de');
    for (const { groups } of [enSetup.shortcuts, setup.shortcuts]) {
      const ways = groups.flatMap(({ rows }) => rows.flatMap(([keys]) => keys.split('|')));
      for (const letter of Object.keys(LETTERS)) expect(ways).toContain(`Alt ${letter.toUpperCase()}`);
    }
  });

  it('leave the signs to who does not want it', async () => {
    const { shortcutFor, questionMark } = await on('Win32');
    const asked = () => shortcutFor(press('?', 'Minus', { shiftKey: true }), false);
    expect(asked()).toBe('shortcuts');
    questionMark.set(false);
    expect(asked()).toBeUndefined();
    expect(shortcutFor(press('/', 'Slash', {}), false)).toBeUndefined();
    questionMark.set(true);
    expect(shortcutFor(press('/', 'Slash', {}), false)).toBe('composer');
    expect(asked()).toBe('shortcuts');
  });
});
