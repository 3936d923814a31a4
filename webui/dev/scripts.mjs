/** The scripted answers of the fake server: lists of [kind, ...] played with pauses; chosen by a word in the message. */

const MIXED = `## How a turn is kept

A turn is an **append-only log**. Everything else is a *view* of it: the live stream, a reload, a second tab.

| part | what it does | cost |
|---|---|---:|
| writer | appends events | 2 ms |
| reader | reads the log | 0.1 ms |
| recovery | takes up what a dead process left | 40 ms |

\`\`\`python
async def follow(turn_id: str, after: int = 0) -> AsyncIterator[Event]:
    """Yield each event once, in order, over any number of connections."""
    while True:
        async for event in tail(turn_id, after):
            yield event
            after = event.seq
            if event.name in ("done", "error", "cancelled"):
                return
\`\`\`

The group commit waits for one flush only, so the expected delay is

$$
E[d] = \\frac{1}{2}\\,t_f + \\sqrt{\\frac{\\pi}{2}} \\sum_{n=1}^{N} \\frac{1}{n^2}
$$

where $t_f$ is the time of one flush. It costs $5 a month, not $6.

1. First the events are written.
2. Then readers are woken:
   - those in the same process at once,
   - others with the next poll.
3. Then the answer goes on. See [the design](https://example.org/design).

> What is shown is stored.
`;

const WORDS = 'the log is read by whoever comes back and every event is seen once and in order whatever happens '.split(
    ' ',
);

function long(tokens) {
    const parts = [];
    for (let i = 0; i < tokens; i++) {
        parts.push(
            i % 120 === 119
                ? '.\n\n'
                : i % 400 === 399
                  ? '\n\n```js\nconst a = 1;\n```\n\n'
                  : `${WORDS[i % WORDS.length]} `,
        );
    }
    return parts.join('');
}

const chunks = (text, size = 4) => text.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? [];
const write = (type, text, pause = 12, size = 4) => [
    ['start', type],
    ...chunks(text, size).map((piece) => ['delta', piece, pause]),
    ['end'],
];

const think = write(
    'thinking',
    'The person asks about the log. I should look at the parts, count the costs, and then explain it with a table and a formula.',
    25,
);

const tools = [
    [
        'tools',
        [
            {
                name: 'current_time',
                arguments: '{"timezone": "Europe/Berlin"}',
                result: '2026-11-22T09:41:07+01:00',
                ms: 400,
            },
            {
                name: 'calculator',
                arguments: '{"expression": "sqrt(2) * 40 / 3"}',
                result: '18.856180831641268',
                ms: 900,
            },
            {
                name: 'run_python',
                arguments: '{"code": "total = 0\\nfor n in range(1, 1000):\\n    total += 1 / n**2\\nprint(total)"}',
                result: '{"stdout": "1.6439335666815615\\n", "result": null}',
                ms: 1800,
            },
        ],
    ],
];

const failing = [
    [
        'tools',
        [
            {
                name: 'calculator',
                arguments: '{"expression": "1 / 0"}',
                result: 'Division by zero in "1 / 0".',
                ms: 300,
                failed: true,
            },
        ],
    ],
];

/** Return the steps to play for a message. */
export function scriptFor(text) {
    if (/\bfast\b/.test(text)) return write('text', long(20_000), 3, 20);
    if (/\blong\b/.test(text)) return write('text', long(6_000), 5, 5);
    if (/\berror\b/.test(text))
        return [
            ...write('text', 'I begin well, and then '),
            ['fail', 'rate_limited', 'HTTP 429 from the provider: please retry in 20 s.'],
        ];
    if (/\bcut\b/.test(text)) return [...write('text', MIXED, 20), ['done', 'length']];
    if (/\brecover\b/.test(text))
        return [
            ...write('text', 'This will be thrown away '),
            ['recover'],
            ...write('text', 'After a restart, this stands.'),
            ['done', 'stop'],
        ];
    if (/\btools?\b/.test(text))
        return [
            ...think,
            ...tools,
            ...write('thinking', 'Two of three agree.', 25),
            ...failing,
            ...write('text', MIXED),
            ['done', 'stop'],
        ];
    if (/\barabic\b/.test(text))
        return [
            ...write('text', 'مرحبا! هذا **نص** من اليمين إلى اليسار مع `code` في الوسط.\n\n- واحد\n- اثنان\n'),
            ['done', 'stop'],
        ];
    return [...think, ...write('text', MIXED), ['done', 'stop']];
}
