// Tables are sorted by a head's button: ascending, descending, and as the sweep has them.
{
  const next = { none: 'ascending', ascending: 'descending', descending: 'none' };
  const infinite = { inf: Infinity, '-inf': -Infinity };
  const number = (text) => infinite[text] ?? Number(text);

  // What a cell is sorted by: its data-value; undefined where there is nothing.
  const valueOf = (row, index) => {
    const { value } = row.cells[index].dataset;
    return value === 'nan' ? undefined : (value ?? (row.cells[index].tagName === 'TH' ? row.cells[index].textContent : undefined));
  };

  const sorted = (rows, index, direction) => {
    const values = new Map(rows.map((row) => [row, valueOf(row, index)]));
    const known = rows.filter((row) => values.get(row) !== undefined);
    const missing = rows.filter((row) => values.get(row) === undefined);
    const numeric = known.every((row) => !Number.isNaN(number(values.get(row))));
    const compare = (one, other) =>
      numeric ? number(one) - number(other) || 0 : one.localeCompare(other, 'en', { numeric: true });
    const sign = direction === 'ascending' ? 1 : -1;
    known.sort((one, other) => sign * compare(values.get(one), values.get(other)));
    return [...known, ...missing];
  };

  for (const table of document.querySelectorAll('main table')) {
    const body = table.tBodies[0];
    const original = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    if (original.length < 2) continue;
    heads.forEach((head, index) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener('click', () => {
        const direction = next[head.getAttribute('aria-sort') ?? 'none'];
        for (const each of heads) each.removeAttribute('aria-sort');
        if (direction !== 'none') head.setAttribute('aria-sort', direction);
        table.classList.toggle('sorted', direction !== 'none');
        body.append(...(direction === 'none' ? original : sorted(original, index, direction)));
      });
    });
  }

  // What scrolls without a control inside has to be reached by keyboard itself.
  const reach = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
      else target.removeAttribute('tabindex');
    }
  });
  for (const each of document.querySelectorAll('.scroll')) reach.observe(each);
}
