/** Whether the server can be reached. */

class Link {
  lost = $state(false);
}

export const link = new Link();
