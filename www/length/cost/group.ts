// Rows that have something in common, in the order in which it first occurs.

export function grouped<Row, Key>(rows: Row[], of: (row: Row) => Key): [Key, Row[]][] {
  const groups = new Map<Key, Row[]>();
  for (const row of rows) {
    const group = groups.get(of(row));
    if (group) group.push(row);
    else groups.set(of(row), [row]);
  }
  return [...groups];
}
