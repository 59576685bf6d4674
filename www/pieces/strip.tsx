// A text, token by token. One stop for the Tab key; the arrow keys move within it, and what is known about the token
// that is looked at is shown beside it.

import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { leaveSoon, look, looked, unlook } from './look';

/** What is seen as one: a token, or those that make up one character together. */
export type Group<Piece> = { text: string; pieces: Piece[] };

type Props<Piece> = {
  /** Tells texts apart. */
  owner: object;
  groups: Group<Piece>[];
  /** How a group looks, as data attributes. */
  mark: (group: Group<Piece>, index: number) => Record<`data-${string}`, string | number>;
  about: (group: Group<Piece>) => ComponentChildren;
  label: string;
  /** The id of what explains the looks. */
  help: string;
  testid: string;
};

export function Strip<Piece>({ owner, groups, mark, about, label, help, testid }: Props<Piece>) {
  const at = looked.value?.owner === owner ? looked.value.index : -1;
  const spans = useMemo(
    () =>
      groups.map((group, index) => (
        <span
          key={index}
          class="piece"
          data-index={index}
          data-break={group.text.startsWith('\n') || undefined}
          data-here={index === at || undefined}
          {...mark(group, index)}
        >
          {group.text}
        </span>
      )),
    [groups, at],
  );

  const show = (element: Element | null | undefined) => {
    const index = Number((element as HTMLElement | null)?.dataset.index);
    const found = groups[index];
    if (element && found) look({ owner, index, element, about: about(found) });
  };
  const go = (text: Element, index: number) => {
    const element = text.children[Math.min(Math.max(index, 0), groups.length - 1)];
    element?.scrollIntoView({ block: 'nearest' });
    show(element);
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is for fields, and no part of a line
    <span
      class="continuation"
      role="group"
      // biome-ignore lint/a11y/noNoninteractiveTabindex: the arrow keys act in it
      tabIndex={0}
      aria-label={label}
      aria-describedby={help}
      data-testid={testid}
      onPointerOver={(event) => event.pointerType === 'mouse' && show(pieceOf(event))}
      onPointerLeave={(event) => event.pointerType === 'mouse' && leaveSoon()}
      onClick={(event) => {
        const piece = pieceOf(event);
        // A mouse has shown it already; a second tap puts it away.
        if ((event as unknown as PointerEvent).pointerType !== 'mouse' && piece === looked.value?.element)
          unlook();
        else show(piece);
      }}
      onFocus={({ currentTarget }) =>
        currentTarget.matches(':focus-visible') && at < 0 && go(currentTarget, 0)
      }
      onBlur={unlook}
      onKeyDown={(event) => {
        const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: groups.length - 1 }[event.key];
        if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        go(event.currentTarget, next);
      }}
    >
      {spans}
    </span>
  );
}

const pieceOf = (event: Event): Element | null => (event.target as Element).closest('.piece');

/** Tokens that only begin a character go with the one that ends it; while that is to come, their labels stand for them. */
export function group<Piece extends { text: string; label: string }>(pieces: Piece[]): Group<Piece>[] {
  const groups: Group<Piece>[] = [];
  let begun: Piece[] = [];
  for (const piece of pieces) {
    begun.push(piece);
    if (piece.text === '') continue;
    groups.push({ text: piece.text, pieces: begun });
    begun = [];
  }
  if (begun.length > 0) groups.push({ text: begun.map(({ label }) => label).join(''), pieces: begun });
  return groups;
}
