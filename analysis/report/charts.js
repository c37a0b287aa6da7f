// Interactive figures. Plotly comes compressed; where it cannot be had, the figure stands still, as it does on paper.
{
  const SYMBOLS = {
    o: 'circle', s: 'square', '^': 'triangle-up', D: 'diamond', v: 'triangle-down', P: 'cross', X: 'x',
    '<': 'triangle-left', p: 'pentagon', '>': 'triangle-right', h: 'hexagon', _: 'line-ew', '|': 'line-ns-open',
  };
  const GLYPHS = { o: '●', s: '■', '^': '▲', D: '◆', v: '▼', P: '✚', X: '✖', '<': '◀', p: '⬟', '>': '▶', h: '⬢', '|': '❘' };
  const DASHES = { '-': 'solid', '--': 'dash', '-.': 'dashdot', ':': 'dot' };
  const INK = '#1d1e20'; // of the printed figures: here the page's own
  const FEW = { lines: 5, points: 15 }; // rows whose deviations are shown at first
  const HEIGHT = 380;

  const unpacked = async (id) => {
    const bytes = Uint8Array.from(atob(document.getElementById(id).textContent), (letter) => letter.charCodeAt(0));
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).text();
  };
  const plotly = async () => {
    const script = document.createElement('script');
    script.textContent = await unpacked('plotly');
    document.head.append(script);
    return window.Plotly;
  };

  // Plotly takes its texts for HTML.
  const plain = (text) => String(text).replace(/[&<>]/g, (letter) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[letter]);
  const short = (value) => (value === null ? 'unknown' : Number(value.toPrecision(4)).toLocaleString('en'));
  const spread = (value, deviation) => short(value) + (deviation === null || deviation === undefined ? '' : ` ± ${short(deviation)}`);

  const theme = () => {
    const style = getComputedStyle(document.body);
    const probe = document.createElement('span');
    document.body.append(probe);
    const colour = (name) => {
      probe.style.color = `var(--${name})`;
      return getComputedStyle(probe).color;
    };
    const found = { ink: style.color, page: style.backgroundColor, quiet: colour('quiet'), rule: colour('rule'), font: style.fontFamily };
    probe.remove();
    return found;
  };
  const faded = (colour, share) =>
    colour.startsWith('#')
      ? `rgba(${[1, 3, 5].map((place) => parseInt(colour.slice(place, place + 2), 16)).join(',')},${share})`
      : colour.replace('rgb(', 'rgba(').replace(')', `,${share})`);

  const band = (line, colour) => {
    const places = line.x.map((_, index) => index).filter((index) => line.y[index] !== null && line.std[index] !== null);
    const edge = (sign) => places.map((index) => line.y[index] + sign * line.std[index]);
    const x = places.map((index) => line.x[index]);
    return {
      type: 'scatter', mode: 'lines', x: [...x, ...x.toReversed()], y: [...edge(1), ...edge(-1).toReversed()],
      fill: 'toself', fillcolor: faded(colour, 0.14), line: { width: 0 }, hoverinfo: 'skip',
    };
  };
  const lines = (panel, state, colourOf) =>
    panel.lines.filter((line) => !state.hidden.has(line.label)).flatMap((line) => {
      const colour = colourOf(line);
      const told = line.hovers?.map(([head, ...rest]) => [`<b>${plain(head)}</b>`, ...rest.map(plain)].join('<br>')) ?? line.y.map((y, index) =>
        `<b>${plain(line.told)}</b><br>${plain(panel.x)} ${short(line.x[index])}: ${spread(y, line.std?.[index])}`);
      const drawn = {
        type: 'scatter', mode: [line.dash && 'lines', line.marker && 'markers'].filter(Boolean).join('+'),
        x: line.x, y: line.y, text: told, hoverinfo: 'text',
        line: { color: colour, dash: DASHES[line.dash] ?? 'solid', shape: line.shape, width: line.marker && !line.ring ? 2 : 1.4 },
        marker: { symbol: (SYMBOLS[line.marker] ?? 'circle') + (line.ring ? '-open' : ''), size: line.ring ? 14 : 7, color: colour },
      };
      return state.deviation && line.std ? [band(line, colour), drawn] : [drawn];
    });
  const points = (panel, state, colourOf, look) => [
    ...panel.limits.map((limit) => ({
      type: 'scatter', mode: 'lines', x: edges(panel), y: [limit.y, limit.y], text: `<b>${plain(limit.label)}</b>, a limit: ${short(limit.y)}`,
      hoverinfo: 'text', line: { color: look.quiet, dash: DASHES[limit.dash], width: 1.2 },
    })),
    {
      type: 'scatter', mode: 'lines', x: panel.front.map(([x]) => x), y: panel.front.map(([, y]) => y),
      line: { shape: 'hv', color: look.ink, width: 1.2 }, hoverinfo: 'skip',
    },
    ...panel.points.filter((point) => !state.hidden.has(point.label)).map((point) => ({
      type: 'scatter', mode: 'markers', x: [point.x], y: [point.y],
      text: `<b>${plain(point.told)}</b><br>${plain(panel.x)} ${spread(point.x, point.xstd)}<br>${plain(panel.y)} ${spread(point.y, point.std)}`,
      hoverinfo: 'text',
      error_x: state.deviation ? { array: [point.xstd ?? 0], color: colourOf(point), thickness: 1, width: 3 } : undefined,
      error_y: state.deviation ? { array: [point.std ?? 0], color: colourOf(point), thickness: 1, width: 3 } : undefined,
      marker: { symbol: (SYMBOLS[point.marker] ?? 'circle') + (point.hollow ? '-open' : ''), size: 10, color: colourOf(point) },
    })),
  ];
  const edges = (panel) => {
    const x = (panel.points ?? panel.lines).flatMap((each) => each.x);
    return [Math.min(...x), Math.max(...x)];
  };
  const cells = (panel, look) => {
    const of = (what) => panel.cells.map((line) => line.map((cell) => (cell ? what(cell) : null)));
    const written = ({ value, mean, count }) => (value === null ? '' : mean + (count ? `<br>${count}` : ''));
    const names = { x: panel.across.map(plain), y: panel.down.map(plain) };
    const told = of((cell) => `<b>${plain(cell.told)}</b><br>${plain(panel.name)} ${plain(cell.text)}`);
    const shared = { type: 'heatmap', ...names, hovertext: told, hoverinfo: 'text', xgap: 2, ygap: 2 };
    return [
      { ...shared, z: of((cell) => (cell.value === null ? 0 : null)), text: of(() => 'missing'), texttemplate: '%{text}',
        colorscale: [[0, look.rule], [1, look.rule]], showscale: false },
      { ...shared, z: of((cell) => cell.value), text: of(written), texttemplate: '%{text}',
        colorscale: 'Cividis', reversescale: panel.lower, colorbar: { thickness: 10, outlinewidth: 0, tickfont: { color: look.quiet } } },
    ];
  };

  // Of a logarithmic axis: 1, 2, 5, 10 and so on, written out.
  const ticks = ([low, high]) => {
    const first = Math.floor(Math.log10(low));
    const decades = Array.from({ length: Math.ceil(Math.log10(high)) - first + 1 }, (_, index) => 10 ** (first + index));
    const values = decades.flatMap((decade) => [decade, 2 * decade, 5 * decade]);
    return { tickvals: values, ticktext: values.map((value) => value.toLocaleString('en')) };
  };

  const layoutOf = (panel, look) => {
    const axis = (title, log) => ({
      title: { text: plain(title), font: { color: look.quiet, size: 13 }, standoff: 8 }, type: log ? 'log' : undefined,
      gridcolor: look.rule, linecolor: look.rule, zeroline: false, automargin: true, tickfont: { color: look.quiet },
    });
    const layout = {
      xaxis: axis(panel.x, panel.logx), yaxis: axis(panel.y, panel.logy), showlegend: false, height: HEIGHT,
      margin: { l: 56, r: 12, t: 10, b: 48 }, paper_bgcolor: 'rgba(0,0,0,0)', plot_bgcolor: 'rgba(0,0,0,0)',
      font: { family: look.font, color: look.ink, size: 12 }, hovermode: 'closest', uirevision: panel.name,
      hoverlabel: { bgcolor: look.page, bordercolor: look.quiet, font: { color: look.ink, family: look.font, size: 13 }, align: 'left' },
      // A finger scrolls the page and does not zoom.
      dragmode: matchMedia('(pointer: coarse)').matches ? false : 'zoom',
    };
    if (panel.cells) {
      Object.assign(layout.xaxis, { type: 'category', showgrid: false });
      Object.assign(layout.yaxis, { type: 'category', showgrid: false, autorange: 'reversed' });
    } else if (panel.x === 'task') layout.xaxis.dtick = 1;
    if (panel.logx) Object.assign(layout.xaxis, ticks(edges(panel)));
    return layout;
  };

  const draw = (Plotly, figure, state) => {
    const panel = state.chart.panels[state.panel];
    const look = theme();
    const colourOf = (each) => (each.colour === INK ? look.ink : each.colour);
    const traces = panel.cells ? cells(panel, look) : panel.points ? points(panel, state, colourOf, look) : lines(panel, state, colourOf);
    figure.classList.add('drawn');
    return Plotly.react(figure.querySelector('.plot'), traces, layoutOf(panel, look), { displayModeBar: false, responsive: true });
  };

  // Controls: which panel, deviations, and the rows, which are the legend too.
  const button = (text, pressed, action) => {
    const made = document.createElement('button');
    made.type = 'button';
    made.append(text);
    if (pressed !== null) made.setAttribute('aria-pressed', String(pressed));
    made.addEventListener('click', () => action(made));
    return made;
  };
  const press = (made, pressed) => made.setAttribute('aria-pressed', String(pressed));
  const sample = (each) => {
    const drawn = document.createElement('span');
    drawn.className = 'sample';
    drawn.setAttribute('aria-hidden', 'true');
    drawn.style.color = each.colour === INK ? 'var(--ink)' : each.colour;
    drawn.style.borderTopStyle = { '-': 'solid', ':': 'dotted' }[each.dash] ?? 'dashed';
    if (!Array.isArray(each.x) || !each.dash) {
      drawn.classList.add('mark');
      drawn.append(GLYPHS[each.marker] ?? '●');
    }
    return drawn;
  };
  const rowsOf = (chart) => {
    const every = chart.panels.flatMap((panel) => panel.lines ?? panel.points ?? []);
    return [...new Map(every.map((each) => [each.label, each])).values()];
  };
  const legend = (state, again) => {
    const list = document.createElement('div');
    list.className = 'legend';
    list.setAttribute('role', 'group');
    list.setAttribute('aria-label', 'Rows that are shown');
    const rows = rowsOf(state.chart);
    const buttons = rows.map((each) => {
      const made = button(each.label, true, () => {
        const shown = state.hidden.delete(each.label) || !state.hidden.add(each.label);
        press(made, shown);
        again();
      });
      made.prepend(sample(each));
      return made;
    });
    const all = (shown) => () => {
      state.hidden = new Set(shown ? [] : rows.map((each) => each.label));
      for (const made of buttons) press(made, shown);
      again();
    };
    state.told = () => {
      const there = new Set(rowsOf({ panels: [state.chart.panels[state.panel]] }).map((each) => each.label));
      buttons.forEach((made, index) => { made.hidden = !there.has(rows[index].label); });
    };
    list.append(...buttons);
    if (rows.length > 2) list.append(button('all', null, all(true)), button('none', null, all(false)));
    return list;
  };
  const controls = (state, again) => {
    const box = document.createElement('div');
    box.className = 'controls';
    const { choice, panels } = state.chart;
    if (panels.length > 1) {
      const label = document.createElement('label');
      const select = document.createElement('select');
      select.append(...panels.map((panel, index) => new Option(panel.name, index, false, index === state.panel)));
      select.addEventListener('change', () => {
        state.panel = Number(select.value);
        again();
      });
      label.append(`${choice} `, select);
      box.append(label);
    }
    if (rowsOf(state.chart).some((each) => 'std' in each)) {
      box.append(button('deviation', state.deviation, (made) => {
        state.deviation = !state.deviation;
        press(made, state.deviation);
        again();
      }));
    }
    return box;
  };

  const start = (Plotly, figure) => {
    const chart = JSON.parse(document.getElementById(`${figure.id}-data`).textContent);
    const rows = rowsOf(chart);
    const state = { chart, panel: chart.first, hidden: new Set(), deviation: rows.length <= FEW[chart.panels[0].points ? 'points' : 'lines'] };
    const again = () => {
      state.told?.();
      return draw(Plotly, figure, state);
    };
    figure.querySelector('.plot').before(controls(state, again));
    if (rows.length > 1) figure.querySelector('.plot').after(legend(state, again));
    document.addEventListener('themechange', again);
    return again();
  };

  const figures = [...document.querySelectorAll('figure.chart')];
  const stand = async () => {
    const stills = JSON.parse(await unpacked('stills'));
    for (const figure of figures) figure.querySelector('.still').innerHTML = stills[figure.id];
  };
  const open = async () => {
    await stand();
    const Plotly = await plotly();
    const near = new IntersectionObserver(
      (entries) => {
        for (const { target, isIntersecting } of entries) {
          if (!isIntersecting) continue;
          near.unobserve(target);
          start(Plotly, target);
        }
      },
      { rootMargin: '800px 0px' },
    );
    for (const figure of figures) near.observe(figure);
  };
  if (figures.length) open().catch((error) => console.warn(`figures stand still: ${error}`));
}
