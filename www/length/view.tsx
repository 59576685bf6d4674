// Sequence length: what it costs, whether there is enough long text, whether the model uses what it sees.

import { ViewTitle } from '../shell/views';
import { CostSection } from './cost/section';
import { Documents } from './documents/section';
import { UseOfContext } from './use/section';

export function LengthView() {
  return (
    <>
      <ViewTitle>Sequence length</ViewTitle>
      <p class="help">
        A longer context lets a model see more, and costs more: how much more depends on how wide the model
        is. It pays only where there is long text to learn from, and where the model uses what it sees. Each
        of the three can be measured here.
      </p>
      <CostSection />
      <Documents />
      <UseOfContext />
    </>
  );
}
