// Where the parts of a head lie. An invocation owns EACH neighbouring positions of one head of one sequence: what it
// loads serves them all. Positions from CONTEXT on are computed like the last one, and not stored.

struct Rows {
    // Of its first position.
    position: u32,
    // Of the sequence's position 0 in (B, T).
    token: u32,
    // Of queries. Where a head of keys and values is owned, the first of those that share it.
    head: u32,
    // Of the head's position 0 in (B, H, T).
    first: u32,
    // Of the head's first vec4 at position 0 in (B, T, (H + 2 KV) D) and in (B, T, C).
    query: u32,
    key: u32,
    value: u32,
    out: u32,
}

fn locate(index: u32) -> Rows {
    let owner = index / GROUPS;
    let sequence = owner / OWNERS;
    let head = owner % OWNERS * SERVED;
    let token = sequence * CONTEXT * TOKEN4;
    return Rows(
        index % GROUPS * EACH,
        sequence * CONTEXT,
        head,
        (sequence * HEADS + head) * CONTEXT,
        token + head * HEAD4,
        token + (HEADS + head / SHARING) * HEAD4,
        token + (HEADS + KV_HEADS + head / SHARING) * HEAD4,
        sequence * CONTEXT * WIDTH4 + head * HEAD4,
    );
}

// The next head of queries that shares the keys and values.
fn next_head(rows: Rows) -> Rows {
    var next = rows;
    next.head += 1u;
    next.first += CONTEXT;
    next.query += HEAD4;
    next.out += HEAD4;
    return next;
}

fn query_at(rows: Rows, position: u32) -> u32 {
    return rows.query + position * TOKEN4;
}

fn key_at(rows: Rows, position: u32) -> u32 {
    return rows.key + position * TOKEN4;
}

fn value_at(rows: Rows, position: u32) -> u32 {
    return rows.value + position * TOKEN4;
}

fn out_at(rows: Rows, position: u32) -> u32 {
    return rows.out + position * WIDTH4;
}

// In (B, T).
fn first_key_at(rows: Rows, position: u32) -> u32 {
    return rows.token + position;
}
