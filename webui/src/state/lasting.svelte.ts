/** Whether something has been so for a while: what is over at once is not worth a word. To be called where a part is made. */
export function lasting(is: () => boolean, patienceMs: number): () => boolean {
  let late = $state(false);
  const now = $derived(is());
  $effect(() => {
    if (!now) return;
    const timer = setTimeout(() => (late = true), patienceMs);
    return () => {
      clearTimeout(timer);
      late = false;
    };
  });
  return () => late;
}
