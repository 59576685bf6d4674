// Where the parts of a head lie. An invocation owns one row: one position of one head of one sequence.

struct Row {
    position: u32,
    // Of this head's first vec4 in (B, T, 3C) and in (B, T, C), at position 0.
    qkv: u32,
    out: u32,
}

fn locate(row: u32) -> Row {
    let head = (row / CONTEXT) % HEADS;
    let sequence = row / (CONTEXT * HEADS);
    return Row(
        row % CONTEXT,
        sequence * CONTEXT * 3u * WIDTH4 + head * HEAD4,
        sequence * CONTEXT * WIDTH4 + head * HEAD4,
    );
}

fn query_at(row: Row, position: u32) -> u32 {
    return row.qkv + position * 3u * WIDTH4;
}

fn key_at(row: Row, position: u32) -> u32 {
    return query_at(row, position) + WIDTH4;
}

fn value_at(row: Row, position: u32) -> u32 {
    return query_at(row, position) + 2u * WIDTH4;
}

fn out_at(row: Row, position: u32) -> u32 {
    return row.out + position * WIDTH4;
}
