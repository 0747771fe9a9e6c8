"""Draws the chart: the share of wrong verdicts of each verifier."""

WIDTH, ROW, TOP = 860, 30, 92
LABELS, PANEL, GAP = 150, 300, 60
INK, MUTED, GRID, BAR, OURS = "#1f2328", "#59636e", "#d8dee4", "#8c959f", "#1a5fb4"
PANELS = (
    ("accepts what it should reject", "share of the bad tokens put to it"),
    ("rejects what it should accept", "share of the good tokens put to it"),
)


def draw(rows):
    """Rows: name, wrong and all forged, wrong and all good."""
    height = TOP + ROW * len(rows) + 42
    shares = [[wrong / put if put else 0 for _, wrong, put, _, _ in rows], [wrong / put if put else 0 for *_, wrong, put in rows]]
    # One scale, so that the panels can be compared.
    longest = max(max(panel) for panel in shares)
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if longest / step <= 6)
    ticks = [step * index for index in range(int(longest / step) + 2)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        text(16, 28, "The court: what verifiers get wrong", INK, size=16, weight=600),
    ]
    for number, (title, subtitle) in enumerate(PANELS):
        left = 16 + LABELS + number * (PANEL + GAP)
        parts += [text(left, 58, title, INK, weight=600), text(left, 76, subtitle, MUTED, size=12)]
        for tick in ticks:
            x = left + PANEL * tick / ticks[-1]
            parts.append(f'<line x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{height - 38}" stroke="{GRID}"/>')
            parts.append(text(x, height - 20, f"{tick:.0%}", MUTED, size=12, anchor="middle"))
        for index, row in enumerate(rows):
            y = TOP + ROW * index
            share = shares[number][index]
            wrong = row[1 + 2 * number]
            length = PANEL * share / ticks[-1]
            colour = OURS if index == 0 else BAR
            parts.append(f'<rect x="{left}" y="{y + 7}" width="{length:.1f}" height="{ROW - 14}" fill="{colour}"/>')
            parts.append(text(left + length + 6, y + 20, f"{wrong}", colour if index == 0 else MUTED, size=12))
    for index, row in enumerate(rows):
        parts.append(text(16, TOP + ROW * index + 20, row[0], OURS if index == 0 else INK, weight=600 if index == 0 else 400))
    return "\n".join([*parts, "</svg>"]) + "\n"


def text(x, y, content, colour, size=13, weight=400, anchor="start"):
    return f'<text x="{x:.1f}" y="{y}" fill="{colour}" font-size="{size}" font-weight="{weight}" text-anchor="{anchor}">{content}</text>'
