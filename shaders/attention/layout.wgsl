// Where the parts of a head lie. An invocation owns EACH neighbouring positions of one head of one sequence: what it
// loads serves them all. Positions from CONTEXT on are computed like the last one, and not stored.

struct Rows {
    // Of its first position.
    position: u32,
    // Of this head's position 0 in (B, H, T).
    first: u32,
    // Of this head's first vec4 in (B, T, 3C) and in (B, T, C), at position 0.
    qkv: u32,
    out: u32,
}

fn locate(index: u32) -> Rows {
    let head = index / GROUPS;
    let sequence = head / HEADS;
    return Rows(
        index % GROUPS * EACH,
        head * CONTEXT,
        sequence * CONTEXT * 3u * WIDTH4 + head % HEADS * HEAD4,
        sequence * CONTEXT * WIDTH4 + head % HEADS * HEAD4,
    );
}

fn query_at(rows: Rows, position: u32) -> u32 {
    return rows.qkv + position * 3u * WIDTH4;
}

fn key_at(rows: Rows, position: u32) -> u32 {
    return query_at(rows, position) + WIDTH4;
}

fn value_at(rows: Rows, position: u32) -> u32 {
    return query_at(rows, position) + 2u * WIDTH4;
}

fn out_at(rows: Rows, position: u32) -> u32 {
    return rows.out + position * WIDTH4;
}
