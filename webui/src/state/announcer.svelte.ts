/** What a screen reader is told: politely about answers, at once about errors. */

class Announcer {
  polite = $state('');
  assertive = $state('');

  say(text: string): void {
    this.polite = text;
  }

  alert(text: string): void {
    this.assertive = text;
  }
}

export const announcer = new Announcer();
