// The run of an earlier visit, files that were refused, and why nothing is kept.

import { sentence } from '../errors';
import { count } from '../format';
import { can } from '../run/actions';
import { Notice } from '../shell/notice';
import { fileTrouble, notKept, offer } from '../state';
import { goOn, leave } from './actions';

const DATE: Intl.DateTimeFormatOptions = { dateStyle: 'medium', timeStyle: 'short' };

export function FileNotices() {
  const refusal = fileTrouble.value;
  return (
    <>
      {offer.value && <Offer {...offer.value} />}
      {refusal && (
        <Notice tone="bad" title={refusal.title} testid="file-refused" onDismiss={forgetRefusal}>
          <p>{sentence(refusal.message)}</p>
        </Notice>
      )}
      {notKept.value !== null && (
        <Notice
          tone="warn"
          title="This browser does not keep the run"
          testid="not-kept"
          onDismiss={forgetNotKept}
        >
          <p>{sentence(notKept.value)}</p>
          <p>Training goes on all the same. Use Save where the run matters.</p>
        </Notice>
      )}
    </>
  );
}

function Offer({ run, name, step, steps, at }: NonNullable<typeof offer.value>) {
  const when = new Date(at).toLocaleString('en-GB', DATE);
  return (
    <Notice tone="info" title="Your last run is still here" testid="kept-offer">
      <p>
        {name ?? 'It'} was kept in this browser at step {count(step)} of {count(steps)} ({when}), with its own
        settings.
      </p>
      <button
        type="button"
        class="action primary"
        aria-disabled={!can.load.value}
        onClick={() => void goOn(run)}
        data-testid="go-on"
      >
        {step < steps ? `Go on with the run from step ${count(step)}` : 'Bring back the finished run'}
      </button>
      <button type="button" class="action" onClick={() => void leave(run)} data-testid="leave-kept">
        {name === null ? 'Throw it away' : 'Leave it'}
      </button>
    </Notice>
  );
}

function forgetNotKept(): void {
  notKept.value = null;
}

function forgetRefusal(): void {
  fileTrouble.value = null;
}
