// Is the context used? What the present run's model makes of what it sees, each measured when asked for.

import { AttentionPart } from './attention';
import { Beyond } from './beyond';
import { Extend } from './extension';
import { InductionPart } from './induction';
import { Positions } from './positions';

export function UseOfContext() {
  return (
    <section class="panel use" aria-labelledby="use-title" data-testid="use">
      <h2 id="use-title">Is the context used?</h2>
      <p class="help">
        All of this is about the run of the Train view, or one of the Runs view that was gone on with: what
        its model makes of the tokens before the one that it predicts. To measure changes nothing about the
        run.
      </p>
      <Positions />
      <Beyond />
      <InductionPart />
      <AttentionPart />
      <Extend />
    </section>
  );
}
