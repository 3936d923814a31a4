/** What was entered in a dialog and is not saved: who is about to lose it is asked once. */
import { getContext, setContext, tick } from 'svelte';
import type { Attachment } from 'svelte/attachments';

const KEY = Symbol('unsaved');

export class Unsaved {
  /** What is to be done as soon as a person agrees; undefined while nobody is asked. */
  asked = $state.raw<(() => void) | undefined>();
  private readonly forms = new Map<Element, () => boolean>();

  /** Do what ends the forms in `within`: at once if nothing was changed in them, else when a person agrees. */
  leave(end: () => void, within?: Element): void {
    const changed = [...this.forms].some(([form, differs]) => (!within || within.contains(form)) && differs());
    if (changed) this.asked = end;
    else end();
  }

  discard(): void {
    const end = this.asked;
    this.asked = undefined;
    end?.();
  }

  /** Watch over a form: `differs` says whether it has anything to lose, else what its fields had when it appeared. */
  guard(differs?: () => boolean): Attachment<HTMLFormElement> {
    return (form) => {
      let before: string | undefined;
      void tick().then(() => (before = entered(form)));
      this.forms.set(form, differs ?? (() => before !== undefined && entered(form) !== before));
      return () => this.forms.delete(form);
    };
  }
}

/** Let all that stands in a dialog know it. */
export function provideUnsaved(unsaved: Unsaved): void {
  setContext(KEY, unsaved);
}

/** That of the dialog around a component; one of its own where there is none. */
export function unsavedAround(): Unsaved {
  return getContext<Unsaved | undefined>(KEY) ?? new Unsaved();
}

function entered(form: HTMLFormElement): string {
  const values = [...form.elements].map((field) => {
    if (field instanceof HTMLInputElement && (field.type === 'checkbox' || field.type === 'radio'))
      return field.checked;
    const typed = field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement;
    return typed || field instanceof HTMLSelectElement ? field.value : null;
  });
  return JSON.stringify(values.filter((value) => value !== null));
}
