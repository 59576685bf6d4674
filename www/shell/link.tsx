// The link to this config, and what was wrong with the one that led here.

import { useState } from 'preact/hooks';
import { fragment } from '../config/edit';
import { describe } from '../errors';
import { linkProblems, problems } from '../state';
import { Notice } from './notice';

export function LinkNotice() {
  const wrong = linkProblems.value;
  if (wrong.length === 0) return null;
  const dismiss = () => {
    linkProblems.value = [];
  };
  return (
    <Notice
      tone="warn"
      title="Parts of this link do not fit; their defaults are used instead"
      testid="link-problems"
      onDismiss={dismiss}
    >
      <ul>
        {wrong.map((problem) => (
          <li key={problem.field}>
            <code>{problem.field}</code>: {describe(problem)}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

export function CopyLink() {
  const [said, say] = useState('');
  const bad = problems.value.length > 0;
  const copy = async () => {
    if (bad) return say('Settle the marked settings first.');
    const link = location.href.replace(/#.*$/, '') + fragment();
    try {
      await navigator.clipboard.writeText(link);
      say('Copied.');
    } catch {
      say(`The clipboard is closed to this page. The link: ${link}`);
    }
    setTimeout(() => say(''), 8000);
  };
  return (
    <span class="copy-link">
      <button type="button" class="quiet" aria-disabled={bad} onClick={copy} data-testid="copy-link">
        Copy link
      </button>
      <span role="status">{said}</span>
    </span>
  );
}
