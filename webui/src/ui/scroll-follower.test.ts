import { expect, test, vi } from 'vitest';
import { ScrollFollower } from './scroll-follower';

const VIEW = 600;

/** An area whose layout is said, not made. */
function areaOf(height: number) {
  const area = document.createElement('div');
  let [whole, top] = [height, 0];
  Object.defineProperties(area, {
    clientHeight: { get: () => VIEW },
    scrollHeight: { get: () => whole },
    scrollTop: { get: () => top, set: (wanted: number) => (top = Math.max(0, Math.min(wanted, whole - VIEW))) },
  });
  let grown = () => {};
  vi.stubGlobal(
    'ResizeObserver',
    class {
      constructor(told: () => void) {
        grown = told;
      }
      observe() {}
      disconnect() {}
    },
  );
  const states: boolean[] = [];
  const follower = new ScrollFollower(
    area,
    area,
    (following) => states.push(following),
    () => true,
  );
  const scroll = (to: number) => {
    top = to;
    area.dispatchEvent(new Event('scroll'));
  };
  grown();
  return {
    follower,
    scroll,
    /** What a person turns the wheel by. */
    wheel(by: number) {
      area.dispatchEvent(new WheelEvent('wheel', { deltaY: by }));
      scroll(top + by);
    },
    /** Let something grow at the end, or before what is in sight, which the browser then keeps in its place. */
    grow(by: number, where: 'end' | 'before') {
      whole += by;
      if (where === 'before') top += by;
      grown();
      if (where === 'before') area.dispatchEvent(new Event('scroll'));
    },
    /** Let something go at the end, for which the browser cuts the position, and something else come before that is told. */
    replace(gone: number, come: number) {
      whole -= gone;
      top = Math.min(top, whole - VIEW);
      whole += come;
      area.dispatchEvent(new Event('scroll'));
      grown();
    },
    /** Scroll by a finger, whose move the browser takes over. */
    pan(to: number) {
      area.dispatchEvent(new MouseEvent('pointerdown', { buttons: 1 }));
      area.dispatchEvent(new MouseEvent('pointermove', { buttons: 1 }));
      area.dispatchEvent(new MouseEvent('pointercancel', { buttons: 0 }));
      scroll(to);
    },
    /** Drag the scroll bar while something grows at the end. */
    drag(to: number, by: number) {
      area.dispatchEvent(new MouseEvent('pointerdown', { buttons: 1 }));
      whole += by;
      scroll(to);
      grown();
    },
    following: () => states.at(-1) ?? true,
    distance: () => whole - VIEW - top,
  };
}

test('who is at the end stays there while it grows', () => {
  const area = areaOf(4000);
  area.grow(500, 'end');
  expect(area.distance()).toBe(0);
  expect(area.following()).toBe(true);
});

test('one move up ends it, and what grows is left alone', () => {
  const area = areaOf(4000);
  area.wheel(-300);
  area.grow(500, 'end');
  expect(area.distance()).toBe(800);
  expect(area.following()).toBe(false);
});

test('what grows before what is in sight does not make it the end', () => {
  const area = areaOf(4000);
  area.wheel(-2500);
  area.grow(3600, 'before');
  area.scroll(5000);
  area.grow(30, 'end');
  expect(area.following()).toBe(false);
  expect(area.distance()).toBe(4000 + 3600 + 30 - VIEW - 5000);
});

test('who comes back to where the end was a moment ago has come back to it', () => {
  const area = areaOf(4000);
  area.wheel(-300);
  area.grow(200, 'end');
  area.wheel(300);
  expect(area.following()).toBe(true);
  area.grow(100, 'end');
  expect(area.distance()).toBe(0);
});

test('what gives way to something larger is no move up', () => {
  const area = areaOf(4000);
  area.replace(33, 500);
  expect(area.following()).toBe(true);
  expect(area.distance()).toBe(0);
});

test('what gives way to something larger is no move up for who has come back by a finger either', () => {
  const area = areaOf(4000);
  area.pan(1000);
  area.pan(3400);
  area.replace(33, 500);
  expect(area.following()).toBe(true);
});

test('who drags the scroll bar up while it grows is no longer taken to the end', () => {
  const area = areaOf(4000);
  area.drag(3380, 50);
  expect(area.following()).toBe(false);
  expect(area.distance()).toBe(4050 - VIEW - 3380);
});

test('what moves far up of itself, such as a search of the browser, is a move up', () => {
  const area = areaOf(4000);
  area.grow(50, 'end');
  area.scroll(1000);
  area.grow(50, 'end');
  expect(area.following()).toBe(false);
  expect(area.distance()).toBe(4100 - VIEW - 1000);
});
