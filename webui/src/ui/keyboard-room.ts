/** Room for a touch keyboard that covers the page and does not make it smaller, as on iOS. */

/** What covers less is a bar of the browser. */
const LEAST_PX = 80;

export function makeRoomForKeyboard(): void {
  const seen = visualViewport;
  seen?.addEventListener('resize', () => {
    const covered = innerHeight - seen.height * seen.scale;
    const room = covered > LEAST_PX ? covered : 0;
    document.documentElement.style.setProperty('--covered', `${room}px`);
    if (room) scrollTo(0, 0);
  });
}
