// In which settings the groups differ.

import { differences } from './diff';
import type { Scene } from './scene';
import { Swatch } from './swatch';

export function Differences({ scene: { shown, fields } }: { scene: Scene }) {
  const groups = shown.map(({ group }) => group);
  const rows = differences(groups, fields);
  return (
    <details class="panel differences" data-testid="differences">
      <summary>
        <h2>Settings that differ</h2>
        <span class="muted">{rows.map(({ name }) => name).join(', ') || 'none'}</span>
      </summary>
      {rows.length > 0 && (
        <div class="wide-table">
          <table>
            <thead>
              <tr>
                <th scope="col">Setting</th>
                {groups.map(({ key, label, look }) => (
                  <th scope="col" key={key}>
                    <Swatch look={look} /> {label}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {rows.map(({ path, name, cells }) => (
                <tr key={path} data-testid={`differs-${path}`}>
                  <th scope="row">
                    {name}
                    <small>{path}</small>
                  </th>
                  {cells.map((cell, index) => (
                    <td key={groups[index]?.key}>{cell}</td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
