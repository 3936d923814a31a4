/** Line icons on a grid of 24, drawn with one stroke. */
export const icons = {
  plus: 'M12 5v14M5 12h14',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5',
  sidebar: 'M4 5h16v14H4zM9.5 5v14',
  up: 'M12 19V5.5M6 11.5 12 5.5l6 6',
  down: 'M12 5v13.5M6 12.5l6 6 6-6',
  stop: 'M7 7h10v10H7z',
  copy: 'M9 9h11v11H9zM15 9V4H4v11h5',
  check: 'M5 12.5l5 5L19.5 7',
  pencil: 'M4 20l1-4.5L16.5 4 20 7.5 8.5 19zM14 6.5l3.5 3.5',
  pin: 'M9 4h6l-.8 6 3.300 3.200v1.300h-11v-1.300L9.800 10zM12 14.500V20',
  again: 'M19.5 12a7.5 7.5 0 1 1-2.3-5.4L19.5 9M19.5 4v5h-5',
  onward: 'M5 5l7 7-7 7M13 5l7 7-7 7',
  left: 'M14.5 6l-6 6 6 6',
  right: 'M9.5 6l6 6-6 6',
  chevron: 'M6.5 9.5l5.5 5.5 5.5-5.5',
  close: 'M6 6l12 12M18 6 6 18',
  trash: 'M5 7h14M10 7V4.5h4V7M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5',
  more: 'M5 12h.01M12 12h.01M19 12h.01',
  sliders: 'M4 8h9M17 8h3M4 16h3M11 16h9M15 5.5v5M9 13.5v5',
  gear: 'M12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM10.3 5.5L10.5 3.2L13.5 3.2L13.7 5.5L15.4 6.2L17.1 4.7L19.3 6.9L17.8 8.6L18.5 10.3L20.8 10.5L20.8 13.5L18.5 13.7L17.8 15.4L19.3 17.1L17.1 19.3L15.4 17.8L13.7 18.5L13.5 20.8L10.5 20.8L10.3 18.5L8.6 17.8L6.9 19.3L4.7 17.1L6.2 15.4L5.5 13.7L3.2 13.5L3.2 10.5L5.5 10.3L6.2 8.6L4.7 6.9L6.9 4.7L8.6 6.2z',
  wrench:
    'M14.5 6.5a4 4 0 0 1 5-2l-2.5 2.5.500 2 2 .5 2-2.5a4 4 0 0 1-5.5 4.5L8.5 19a2.1 2.1 0 0 1-3-3l7.5-7.5a4 4 0 0 1 1.5-2z',
  plug: 'M9 4v5M15 4v5M6.5 9h11v3a5.5 5.5 0 0 1-11 0zM12 17.5V21',
  keyboard: 'M3 7h18v10H3zM7 10.5h.01M10.5 10.5h.01M14 10.5h.01M17 10.5h.01M8 14h8',
  hand: 'M8 12V6a1.5 1.5 0 0 1 3 0v5M11 11V4.5a1.5 1.5 0 0 1 3 0V11M14 11V6a1.5 1.5 0 0 1 3 0v8a6 6 0 0 1-6 6c-2.500 0-4-1-5.300-3.200L4 13.500a1.500 1.500 0 0 1 2.500-1.500L8 14',
  clip: 'M19.5 11.5l-7.600 7.600a4.800 4.800 0 0 1-6.800-6.800l8-8a3.200 3.200 0 0 1 4.500 4.500l-8 8a1.600 1.600 0 0 1-2.300-2.300l7.200-7.200',
  file: 'M6 3.500h8l4 4v13H6zM14 3.500v4h4',
  download: 'M12 4v11M7 10.500l5 5 5-5M5 20h14',
  share: 'M12 15V4M7.5 8 12 3.5 16.500 8M5 12v8h14v-8',
  external: 'M13 4h7v7M20 4l-9 9M18 14v6H4V6h6',
  fold: 'M5 6h14M5 12h14M5 18h8',
  undo: 'M8.500 6.500 4.500 10.500l4 4M4.500 10.500h9a5 5 0 0 1 0 10H11',
  clock: 'M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4.500l3 2',
  slash: 'M15 5 9 19M4 4.500h16v15H4z',
  alert: 'M12 4 2.5 20h19zM12 10v4.5M12 17.2h.01',
} as const;

export type IconName = keyof typeof icons;

/** Those that are mirrored where one reads from right to left. */
export const DIRECTED: ReadonlySet<IconName> = new Set([
  'left',
  'right',
  'onward',
  'sidebar',
  'fold',
  'external',
  'undo',
]);
