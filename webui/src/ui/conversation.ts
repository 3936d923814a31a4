/** What is shown of a conversation that is open, as one part of the page. */
export { default as ChatTitle } from './ChatTitle.svelte';
export { default as ThreadView } from './ThreadView.svelte';
