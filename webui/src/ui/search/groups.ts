/** Hits gathered by their conversations, in the order in which these were found first. */
import type { Hit } from '../../api/search';

export interface Group {
  id: string;
  title: string;
  hits: Hit[];
}

export function grouped(hits: readonly Hit[]): Group[] {
  const groups = new Map<string, Group>();
  for (const hit of hits) {
    const group = groups.get(hit.conversation_id);
    if (group) group.hits.push(hit);
    else groups.set(hit.conversation_id, { id: hit.conversation_id, title: hit.title, hits: [hit] });
  }
  return [...groups.values()];
}
