// A message that stays until it no longer holds or is put away.

import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';

type Props = {
  tone: 'info' | 'warn' | 'bad';
  title: string;
  testid: string;
  dismissible?: boolean;
  onDismiss?: () => void;
  children: ComponentChildren;
};

export function Notice({ tone, title, testid, dismissible, onDismiss, children }: Props) {
  const [gone, setGone] = useState(false);
  if (gone) return null;
  const dismiss = onDismiss ?? (dismissible ? () => setGone(true) : null);
  return (
    <section class={`notice ${tone}`} role={tone === 'info' ? 'status' : 'alert'} data-testid={testid}>
      <div>
        <h2>{title}</h2>
        {children}
      </div>
      {dismiss && (
        <button type="button" class="plain" onClick={dismiss} aria-label={`Put away: ${title}`}>
          ✕
        </button>
      )}
    </section>
  );
}
