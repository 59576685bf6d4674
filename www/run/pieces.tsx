// A text, token by token: each tinted and underlined by how unlikely the model held it. One stop for the Tab key; the
// arrow keys move within it.

import { useMemo } from 'preact/hooks';
import type { Piece, Sample } from '../lab';
import { leaveSoon, look, looked, unlook } from './look';

/** What is seen as one: a token, or those that make up one character together. */
export type Group = { text: string; pieces: Piece[] };

/** `length` is that of the sample's pieces, which are one list that grows. */
export function Pieces({ sample, length }: { sample: Sample; length: number }) {
  const { pieces } = sample;
  const groups = useMemo(() => group(pieces), [pieces, length]);
  const at = looked.value?.sample === sample ? looked.value.index : -1;
  const spans = useMemo(
    () => groups.map((group, index) => <Span key={index} {...{ group, index, here: index === at }} />),
    [groups, at],
  );

  const show = (element: Element | null | undefined) => {
    const index = Number((element as HTMLElement | null)?.dataset.index);
    const found = groups[index];
    if (element && found) look({ sample, index, group: found, element });
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
      aria-label="What follows, token by token"
      aria-describedby="pieces-help"
      data-testid="pieces"
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

function Span({ group, index, here }: { group: Group; index: number; here: boolean }) {
  return (
    <span
      class="piece"
      data-index={index}
      data-doubt={doubt(group.pieces.reduce((all, piece) => all * piece.probability, 1))}
      data-break={group.text.startsWith('\n') || undefined}
      data-here={here || undefined}
    >
      {group.text}
    </span>
  );
}

/** In steps that the legend names. */
function doubt(probability: number): number {
  return probability >= 0.9 ? 0 : probability >= 0.5 ? 1 : probability >= 0.1 ? 2 : 3;
}

/** Tokens that only begin a character go with the one that ends it; while that is to come, their labels stand for them. */
function group(pieces: Piece[]): Group[] {
  const groups: Group[] = [];
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
