// Taking the curves away.

import { record } from '../state';
import { saveCsv } from './csv';
import { savePng } from './png';

export function ChartFiles() {
  const empty = record.value === null;
  return (
    <div class="chart-files">
      <button type="button" class="quiet" disabled={empty} onClick={saveCsv} data-testid="save-csv">
        Save CSV
      </button>
      <button type="button" class="quiet" disabled={empty} onClick={savePng} data-testid="save-png">
        Save PNG
      </button>
    </div>
  );
}
