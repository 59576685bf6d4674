// The charts panel: one large plot of the loss, three small ones, the controls above.

import { count } from '../format';
import { plan, record, revision } from '../state';
import { ChartControls } from './controls';
import { ChartFiles } from './files';
import { Plot } from './plot';
import { specs } from './specs';
import { logX } from './view';

export function Charts() {
  revision.value;
  const run = record.value;
  const { loss, others } = specs(run, plan.value);
  return (
    <section class="panel charts" aria-labelledby="charts-title">
      <div class="panel-head">
        <h2 id="charts-title">Curves</h2>
        <ChartFiles />
      </div>
      <ChartControls />
      <Plot
        spec={loss}
        note={
          run
            ? undefined
            : 'Press Train. The dashed line is what knowing only how often each token occurs would reach.'
        }
      />
      <div class="small-plots">
        {others.map((spec) => (
          <Plot key={spec.id} spec={spec} />
        ))}
      </div>
      {run && (
        <p class="help" data-testid="chart-caption">
          {caption(run.train.length, run.validation.length)}
        </p>
      )}
    </section>
  );
}

function caption(steps: number, evaluations: number): string {
  const all =
    `All ${count(steps)} steps and ${count(evaluations)} evaluations are kept, drawn and exported; ` +
    'points that fall on the same pixel are drawn once. Drag across a chart to zoom.';
  return logX.value ? `${all} A logarithmic axis has no place for step 0.` : all;
}
