// A GPU that was lost: on its way back, back, or gone for good, and where the run goes on.

import { openDevice } from '../client';
import { sentence } from '../errors';
import { count } from '../format';
import { recover, train } from '../run/actions';
import { Notice } from '../shell/notice';
import { type Lost, loss, recovery } from '../state';

export function Recovery() {
  const { value } = recovery;
  if (!value) return null;
  return value.back ? (
    <Notice
      tone="info"
      title="The GPU was lost and is back"
      testid="recovered"
      onDismiss={() => {
        recovery.value = null;
      }}
    >
      <p>
        {sentence(value.reason)} It was opened again by itself. <Repeats {...value} />
      </p>
    </Notice>
  ) : (
    <Notice tone="info" title="The GPU was lost" testid="recovering">
      <p>{sentence(value.reason)} It is being opened again, and the run then goes on by itself.</p>
    </Notice>
  );
}

/** What it costs. */
function Repeats({ from, repeated }: Lost) {
  if (from === null) return null;
  if (from === 0) return <>The run was not saved yet and begins again at its first step.</>;
  if (repeated === 0) return <>The run goes on from step {count(from)}; nothing is lost.</>;
  return (
    <>
      The run goes on from step {count(from)}, where it was last saved; the {count(repeated)}{' '}
      {repeated === 1 ? 'step' : 'steps'} since then {repeated === 1 ? 'is' : 'are'} done again.
    </>
  );
}

/** The ways on, the CPU first: a GPU that was lost twice will be lost again. */
export function LostForGood() {
  if (!loss.value) return null;
  const { reason, from, repeated } = loss.value;
  const on = (device: 'gpu' | 'cpu') => () => {
    openDevice(device);
    if (from === null) train();
    else recover();
  };
  const verb = from === null ? 'Train' : from === 0 ? 'Begin again' : 'Go on';
  const where = from ? ` from step ${count(from)}` : '';
  return (
    <Notice tone="bad" title="The GPU was lost" testid="lost">
      <p>{sentence(reason)}</p>
      {from !== null && (
        <p>
          {from === 0
            ? 'The run was not saved yet: it would begin again at its first step.'
            : `The run was last saved at step ${count(from)}; ${
                repeated === 0
                  ? 'nothing is lost'
                  : `the steps since then, ${count(repeated)}, would be done again`
              }.`}
        </p>
      )}
      <button type="button" class="action primary" onClick={on('cpu')} data-testid="go-on-cpu">
        {verb} on the CPU{where}
      </button>
      <button type="button" class="action" onClick={on('gpu')} data-testid="go-on-gpu">
        Try the GPU again{where}
      </button>
    </Notice>
  );
}
