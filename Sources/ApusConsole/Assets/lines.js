// From histories to the lines of a chart: by what the axis counts, smoothed, compared with a baseline, or grouped.

const { at, ids, load, names, placeOf, smooth } = window.apus.charts;
const charts = window.apus.charts;

const GRID = 400;

// MARK: Histories

// A chart is as fine as its pixels for ten lines; of many lines each gets fewer points, so that the page stays quick.
const columnsOf = (width, count) => Math.max(100, Math.round(Math.max(200, width) * Math.min(1, 10 / count)));

// On a logarithmic axis the beginning is drawn wide, so it is asked for twice more, finer.
const withFineStart = async (ask, range) => {
    const whole = await ask(range);
    const reduced = whole.filter((series) => series.x.length < series.total);
    if (!reduced.length) return whole;
    const start = range ? range[0] : Math.min(...reduced.map((series) => series.x[0]));
    const end = range ? range[1] : Math.max(...reduced.map((series) => series.x.at(-1)));
    const parts = await Promise.all([900, 30].map((part) => ask([start, start + (end - start) / part])));
    return whole.map((series) => {
        if (series.x.length >= series.total) return series;
        const fine = [...parts.map((part) => part.find((other) => other.run === series.run)), series];
        const x = [];
        const value = [];
        for (const piece of fine) {
            if (!piece) continue;
            // A piece runs on for one point beyond its end, which the next one has too.
            for (let place = 0; place < piece.x.length; place++) {
                if (x.length && piece.x[place] <= x.at(-1)) continue;
                x.push(piece.x[place]);
                value.push(piece.value[place]);
            }
        }
        return { ...series, x, value };
    });
};

// Histories of the runs at `places` as [{place, x, y, total}], `x` being what the axis shows: steps, milliseconds,
// seconds since a run's first point, or the values of another metric.
charts.histories = async ({ key, axis, isLogX, places, width, range, origins }) => {
    const runs = places.map((place) => ids[place]);
    const columns = columnsOf(width, runs.length);
    const ends = (range) => (range ? { from: range[0], to: range[1] } : {});
    const shaped = (found) => found.map(({ run, total, x, value }) => ({ place: ids.indexOf(run), total, x, y: value }));
    const other = /^metric:(.*)$/s.exec(axis)?.[1];

    if (other !== undefined) {
        // Both metrics are asked for by step, and each point is paired with the other metric at its step. That is exact
        // where the server left nothing out; where it did, the other metric lies on the line between its kept points.
        const steps = range ? origins.get("steps")?.(range) : undefined;
        const wanted = { runs, columns: Math.min(4000, columns * 4), ...ends(steps) };
        const [own, others] = await Promise.all([load({ key, ...wanted }), load({ key: other, ...wanted })]);
        const joined = own.map((series) => {
            const partner = others.find(({ run }) => run === series.run) ?? { x: [], value: [] };
            const x = series.x.map((step) => at(partner.x, partner.value, step));
            const kept = x.map((_, place) => place).filter((place) => Number.isFinite(x[place]));
            return {
                place: ids.indexOf(series.run), total: series.total, isLoose: true,
                x: kept.map((place) => x[place]), y: kept.map((place) => series.value[place]), steps: kept.map((place) => series.x[place]),
            };
        });
        if (!range) {
            // The steps between which the axis shows a range, for zooms.
            origins.set("steps", ([low, high]) => {
                const inside = joined.flatMap(({ x, steps }) => steps.filter((_, place) => x[place] >= low && x[place] <= high));
                return inside.length ? [Math.min(...inside), Math.max(...inside)] : undefined;
            });
        }
        return joined;
    }

    // The server counts milliseconds.
    const unit = axis === "relative" ? 1000 : 1;
    const asked = async (range) => {
        const found = await load({ key, runs, axis, columns, ...ends(range?.map((end) => end * unit)) });
        return unit === 1 ? found : found.map((series) => ({ ...series, x: series.x.map((time) => time / unit) }));
    };
    return shaped(await (isLogX ? withFineStart(asked, range) : asked(range)));
};

// MARK: Lines

// Lines as [{id, place, name, x, y, raw, total}]; `place` gives the colour. `raw` is what `y` was before it was smoothed.
charts.lines = (histories, settings) => {
    if (settings.group) return grouped(histories, settings);
    const base = settings.isDifference ? histories.find(({ place }) => place === settings.base) : undefined;
    return histories.map((series) => {
        const raw = base ? series.y.map((value, place) => value - at(base.x, base.y, series.x[place])) : series.y;
        const y = settings.smoothing > 0 ? smooth(raw, settings.smoothing) : raw;
        return { ...series, id: String(series.place), name: names[series.place] ?? "", y, raw, isBase: series.place === settings.base };
    });
};

// One line for each value of the param or tag: at each place the mean over the runs that reach it, and around it their
// standard deviation or their lowest and highest. Runs count with the line between their points. Where all runs
// together have few places, these are the places; otherwise so many in equal steps, where the lowest and highest are
// those of all points that were sent, so that a spike widens the band.
const grouped = (histories, settings) => {
    const lines = [];
    for (const [place, group] of settings.group.groups.entries()) {
        const members = histories.filter((series) => group.places.has(series.place)).map((series) => {
            const kept = series.y.map((_, at) => at).filter((at) => Number.isFinite(series.y[at]) && Number.isFinite(series.x[at]));
            if (series.isLoose) kept.sort((left, right) => series.x[left] - series.x[right]);
            return { x: kept.map((at) => series.x[at]), y: kept.map((at) => series.y[at]) };
        }).filter(({ x }) => x.length);
        if (!members.length) continue;
        const { x, step } = gridOf(members);
        const mean = [];
        const low = [];
        const high = [];
        for (const value of x) {
            const found = members.map((member) => at(member.x, member.y, value)).filter((y) => Number.isFinite(y));
            const average = found.reduce((sum, y) => sum + y, 0) / found.length;
            mean.push(average);
            if (settings.band === "range") {
                let least = Math.min(...found);
                let most = Math.max(...found);
                for (const member of step ? members : []) {
                    for (let at = placeOf(member.x, value - step / 2); at < member.x.length && member.x[at] < value + step / 2; at++) {
                        least = Math.min(least, member.y[at]);
                        most = Math.max(most, member.y[at]);
                    }
                }
                low.push(least);
                high.push(most);
            } else if (settings.band === "std") {
                const spread = Math.sqrt(found.reduce((sum, y) => sum + (y - average) ** 2, 0) / found.length);
                low.push(average - spread);
                high.push(average + spread);
            }
        }
        const shown = (list) => (settings.smoothing > 0 ? smooth(list, settings.smoothing) : list);
        const total = histories.reduce((sum, series) => sum + (group.places.has(series.place) ? series.total : 0), 0);
        lines.push({
            id: group.name, place, name: `${group.name} (${members.length})`, x, y: shown(mean), raw: mean, total,
            low: low.length ? shown(low) : undefined, high: high.length ? shown(high) : undefined,
        });
    }
    return lines;
};

const gridOf = (members) => {
    const all = new Set();
    for (const { x } of members) {
        for (const value of x) all.add(value);
        if (all.size > 2 * GRID) break;
    }
    const sorted = [...all].sort((left, right) => left - right);
    if (sorted.length <= 2 * GRID) return { x: sorted, step: 0 };
    const start = Math.min(...members.map(({ x }) => x[0]));
    const step = (Math.max(...members.map(({ x }) => x.at(-1))) - start) / (GRID - 1);
    return { x: Array.from({ length: GRID }, (_, place) => start + place * step), step };
};

// The groups that the values of a param or tag make: {column, groups: [{name, places}]}, numbers in their order.
charts.groups = async (column) => {
    const values = (await charts.values([column], ids)).get(column) ?? [];
    const groups = new Map();
    values.forEach((value, place) => {
        const name = value ?? "(none)";
        if (!groups.has(name)) groups.set(name, new Set());
        groups.get(name).add(place);
    });
    const sorted = [...groups].sort(([left], [right]) => left.localeCompare(right, "en", { numeric: true }));
    return { column, groups: sorted.map(([name, places]) => ({ name, places })) };
};
