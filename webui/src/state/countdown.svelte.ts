/** How many whole seconds are left until a time in ms as `Date.now`, 0 when it is over, of which one is told. To be called where a part is made. */
export function secondsLeft(until: () => number, over: () => void): () => number {
  let now = $state(Date.now());
  const left = $derived(Math.max(0, Math.ceil((until() - now) / 1000)));
  $effect(() => {
    if (!left) return;
    const timer = setTimeout(
      () => {
        now = Date.now();
        if (now >= until()) over();
      },
      until() - now - (left - 1) * 1000,
    );
    return () => clearTimeout(timer);
  });
  return () => left;
}
