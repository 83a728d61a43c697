// The map that every page of ours draws: ground, spots, pads; moved by hand, wheel or fingers.
// Shared by page.html and dashboard.html, which define P (what is on the map), t() and draw().
"use strict";
const $ = id => document.getElementById(id);
const el = (tag, text, props) =>
  Object.assign(document.createElement(tag), text == null ? {} : { textContent: text }, props || {});
const clock = seconds => {
  const s = Math.max(0, Math.round(seconds)), two = n => String(n).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
};
const inLang = (thing, key) => (lang === "zh" ? thing[`${key}Zh`] ?? thing[key] : thing[key]);
const INK = "#1b1f24", RIM = "#5a5a5a", PAD = "#0b6e8a", CARE = "#cc00a0";
const LETTERS = '"Skymist SC", system-ui, "PingFang SC", "Microsoft YaHei", sans-serif';
const canvas = $("map"), ctx = canvas.getContext("2d");
const view = { x: 0, y: 0, k: 1 };

// Shapes are rings of whole decimetres: x, y, x, y.
function outline(thing) {
  const path = new Path2D();
  for (const ring of thing.rings) {
    for (let i = 0; i < ring.length; i += 2)
      if (i) path.lineTo(ring[i], ring[i + 1]); else path.moveTo(ring[i], ring[i + 1]);
    path.closePath();
  }
  return path;
}
const shapes = {
  buildings: P.buildings.map(outline),
  zones: P.zones.map(outline),
  noSpray: P.noSpray.map(outline),
  spots: P.spots.map(outline),
};

const toScreen = ([x, y]) => [
  canvas.clientWidth / 2 + (x - view.x) * view.k,
  canvas.clientHeight / 2 - (y - view.y) * view.k,
];
const toMap = (x, y) => [
  view.x + (x - canvas.clientWidth / 2) / view.k,
  view.y - (y - canvas.clientHeight / 2) / view.k,
];
const isInView = ([x, y]) =>
  x > -40 && y > -40 && x < canvas.clientWidth + 40 && y < canvas.clientHeight + 40;

function siteBounds() {
  let w = Infinity, s = Infinity, e = -Infinity, n = -Infinity;
  const add = (x, y) => {
    w = Math.min(w, x); e = Math.max(e, x); s = Math.min(s, y); n = Math.max(n, y);
  };
  for (const thing of [...P.spots, ...P.zones])
    for (const ring of thing.rings) for (let i = 0; i < ring.length; i += 2) add(ring[i], ring[i + 1]);
  P.pads.forEach(pad => add(...pad.at));
  return w < e ? [w, s, e, n] : [-500, -500, 500, 500];
}
function show([w, s, e, n]) {
  view.k = 0.92 * Math.min(canvas.clientWidth / (e - w || 1), canvas.clientHeight / (n - s || 1));
  view.x = (w + e) / 2;
  view.y = (s + n) / 2;
  draw();
}

// A frame begins with a clear canvas in the map's own coordinates; ends with screen coordinates.
function beginFrame() {
  const W = canvas.clientWidth, H = canvas.clientHeight, dots = window.devicePixelRatio || 1;
  const w = Math.round(W * dots), h = Math.round(H * dots);
  if (canvas.width !== w || canvas.height !== h) { canvas.width = w; canvas.height = h; }
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.clearRect(0, 0, w, h);
  const k = dots * view.k;
  ctx.setTransform(k, 0, 0, -k, dots * (W / 2 - view.x * view.k), dots * (H / 2 + view.y * view.k));
  return 1 / view.k;
}
// Tiles of a map that somebody brought, under all else. P.tiles: their origin and radii there; a
// tile's corners go into the map's own frame to the second order: millimetres at a kilometre.
const tiles = new Map(), TILES_MOST = 60;
function tileCorner(x, y, z) {
  const lon = 2 * Math.PI * x / 2 ** z - Math.PI, lat = Math.atan(Math.sinh(Math.PI * (1 - 2 * y / 2 ** z)));
  const g = P.tiles, north = lat - g.lat, east = lon - g.lon, slope = Math.tan(g.lat);
  return [10 * g.east_m * east * (1 - slope * north), 10 * (g.north_m * north + g.east_m * east * east * Math.sin(g.lat) / 2)];
}
function tilePlace([x, y]) {
  const g = P.tiles, lat = g.lat + y / 10 / g.north_m, lon = g.lon + x / 10 / g.east_m;
  return [(lon + Math.PI) / (2 * Math.PI), (1 - Math.asinh(Math.tan(lat)) / Math.PI) / 2];
}
function tileImage(z, x, y) {
  const key = `${z}/${x}/${y}`;
  if (!tiles.has(key)) {
    tiles.set(key, Object.assign(new Image(), { onload: () => draw(), src: `/tiles/${key}` }));
    if (tiles.size > 8 * TILES_MOST) tiles.delete(tiles.keys().next().value);
  }
  const image = tiles.get(key);
  return image.complete && image.naturalWidth ? image : null;
}
function drawTiles() {
  if (!P.tiles) return;
  const dots = window.devicePixelRatio || 1, [west, north] = tilePlace(toMap(0, 0));
  const [east, south] = tilePlace(toMap(canvas.clientWidth, canvas.clientHeight));
  const [least, most] = P.tiles.zooms;
  let z = Math.round(Math.log2(canvas.clientWidth * dots / 256 / (east - west)));
  z = Math.max(least, Math.min(most, z));
  while (z > least && (east - west) * (south - north) * 4 ** z > TILES_MOST) z--;
  const n = 2 ** z, inside = i => Math.max(0, Math.min(n - 1, Math.floor(i * n)));
  if ((inside(east) - inside(west) + 1) * (inside(south) - inside(north) + 1) > 2 * TILES_MOST) return;
  for (let x = inside(west); x <= inside(east); x++)
    for (let y = inside(north); y <= inside(south); y++) {
      const image = tileImage(z, x, y);
      if (!image) continue;
      const [a, b] = tileCorner(x, y, z), [c, d] = tileCorner(x + 1, y, z), [e, f] = tileCorner(x, y + 1, z);
      const w = image.naturalWidth, h = image.naturalHeight, seam = 0.3 / view.k;
      ctx.save();
      ctx.transform((c - a + seam) / w, (d - b) / w, (e - a) / h, (f - b - seam) / h, a, b);
      ctx.globalAlpha = 0.75;
      ctx.drawImage(image, 0, 0);
      ctx.restore();
    }
}
function onScreen() {
  const dots = window.devicePixelRatio || 1;
  ctx.setTransform(dots, 0, 0, dots, 0, 0);
}

function drawBuildings(px) {
  ctx.lineWidth = 0.6 * px;
  ctx.strokeStyle = "#9a9a9a";
  shapes.buildings.forEach((path, i) => {
    const grey = Math.round(237 - 84 * Math.min(P.buildings[i].h, 40) / 40);
    ctx.fillStyle = `rgb(${grey},${grey},${grey})`;
    ctx.fill(path, "evenodd");
    ctx.stroke(path);
  });
}
function drawNoSpray(px) {
  const [x0, y0] = toMap(0, canvas.clientHeight), [x1, y1] = toMap(canvas.clientWidth, 0);
  const step = 9 * px, from = Math.floor((x0 - (y1 - y0)) / step) * step;
  ctx.strokeStyle = RIM;
  for (const path of shapes.noSpray) {
    ctx.save();
    ctx.clip(path, "evenodd");
    ctx.lineWidth = px;
    ctx.beginPath();
    for (let x = from; x < x1; x += step) { ctx.moveTo(x, y0); ctx.lineTo(x + (y1 - y0), y1); }
    ctx.stroke();
    ctx.restore();
    ctx.lineWidth = 1.2 * px;
    ctx.stroke(path);
  }
}
function drawZones(px) {
  ctx.setLineDash([8 * px, 3 * px, 2 * px, 3 * px]);
  ctx.lineWidth = 1.4 * px;
  ctx.strokeStyle = INK;
  shapes.zones.forEach(path => ctx.stroke(path));
  ctx.setLineDash([]);
}
function drawSpots(px, chosen) {
  shapes.spots.forEach((path, i) => {
    const spot = P.spots[i], colour = P.levels[spot.level].colour, isLeft = spot.dose == null;
    ctx.fillStyle = colour + (isLeft ? "22" : "44");
    ctx.fill(path, "evenodd");
    ctx.lineWidth = (spot === chosen ? 4 : 1.8) * px;
    ctx.strokeStyle = colour;
    if (isLeft) ctx.setLineDash([4 * px, 3 * px]);
    ctx.stroke(path);
    ctx.setLineDash([]);
  });
}

const fontOf = isBold => `${isBold ? "600 " : ""}12px ${LETTERS}`;
function text(words, x, y, isBold) {
  ctx.font = fontOf(isBold);
  ctx.lineWidth = 3;
  ctx.strokeStyle = "rgba(252,251,248,.9)";
  ctx.strokeText(words, x, y);
  ctx.fillText(words, x, y);
}
// Labels and marks keep out of each other's way: a label stands right of its mark, left, above or
// below it, wherever nothing is yet; nowhere else. Boxes are found by the cells that they touch.
const widths = new Map();
function widthOf(words, isBold) {
  const key = `${isBold ? 1 : 0}${words}`;
  if (!widths.has(key)) { ctx.font = fontOf(isBold); widths.set(key, ctx.measureText(words).width); }
  return widths.get(key);
}
function labeller() {
  const cells = new Map(), W = canvas.clientWidth, H = canvas.clientHeight;
  const around = ([l, t, r, b], act) => {
    for (let i = Math.floor(l / 80); i <= Math.floor(r / 80); i++)
      for (let j = Math.floor(t / 40); j <= Math.floor(b / 40); j++) if (act(`${i},${j}`)) return true;
    return false;
  };
  const isTaken = box => around(box, key => (cells.get(key) || []).some(
    other => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]));
  const take = box => around(box, key => { cells.set(key, [...(cells.get(key) || []), box]); });
  // North, scale and buttons.
  [[8, 8, 44, 58], [8, H - 40, 150, H - 8], [W - 60, 0, W, 160]].forEach(take);
  return {
    keep: ([x, y], r) => take([x - r, y - r, x + r, y + r]),
    // Where the words may begin, or null; with `always` right of the mark where nothing is free.
    place(words, [x, y], away, isBold, always) {
      const w = widthOf(words, isBold), up = y - away - 4, down = y + away + 12;
      const tries = [[x + away, y + 4], [x - away - w, y + 4], [x - w / 2, up], [x - w / 2, down],
        [x + away / 2, up], [x + away / 2, down], [x - w - away / 2, up], [x - w - away / 2, down]];
      for (const [left, base] of tries) {
        const box = [left - 1, base - 11, left + w + 1, base + 4];
        if (box[0] < 0 || box[2] > W || box[1] < 0 || box[3] > H || isTaken(box)) continue;
        take(box);
        return [left, base];
      }
      if (always) take([x + away - 1, y - 7, x + away + w + 1, y + 8]);
      return always ? tries[0] : null;
    },
  };
}
function markPath(mark, r) {
  ctx.beginPath();
  if (mark === "square") ctx.rect(-r * 0.85, -r * 0.85, r * 1.7, r * 1.7);
  else if (mark === "circle") ctx.arc(0, 0, r, 0, 7);
  else {
    const corners = mark === "triangle"
      ? [[0, -1.1], [1, 0.8], [-1, 0.8]]
      : [[0, -1.2], [1.2, 0], [0, 1.2], [-1.2, 0]];
    corners.forEach(([x, y]) => ctx.lineTo(x * r, y * r));
    ctx.closePath();
  }
}
// Spots are named from so near on, or where so few are seen.
const NAMED_FROM = 0.25, NAMED_MOST = 60;
function markSpots(chosen, labels, hasLabels) {
  const seen = P.spots.map(spot => [spot, toScreen(spot.at)]).filter(([, at]) => isInView(at));
  const isNamed = hasLabels && (view.k > NAMED_FROM || seen.length <= NAMED_MOST);
  if (isNamed) seen.forEach(([, at]) => labels.keep(at, 6));
  for (const [spot, at] of seen) {
    const look = P.levels[spot.level], isLeft = spot.dose == null;
    ctx.save();
    ctx.translate(...at);
    markPath(look.mark, spot === chosen ? 8 : 5);
    ctx.fillStyle = isLeft ? "#fff" : look.colour;
    ctx.fill();
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = isLeft ? look.colour : "#fff";
    ctx.stroke();
    ctx.restore();
  }
  if (!hasLabels) return;
  ctx.fillStyle = INK;
  const first = seen.filter(([spot]) => spot === chosen), rest = seen.filter(([spot]) => spot !== chosen);
  for (const [spot, at] of isNamed ? [...first, ...rest] : first) {
    const words = spot.name || spot.id, place = labels.place(words, at, 9, false, spot === chosen);
    if (place) text(words, ...place);
  }
}
function markPads(labels, hasLabels) {
  for (const pad of P.pads) {
    const [x, y] = toScreen(pad.at);
    if (!isInView([x, y])) continue;
    for (const [width, colour] of [[5, "#fff"], [3, PAD]]) {
      ctx.lineWidth = width;
      ctx.strokeStyle = colour;
      ctx.beginPath();
      ctx.moveTo(x - 8, y); ctx.lineTo(x + 8, y);
      ctx.moveTo(x, y - 8); ctx.lineTo(x, y + 8);
      ctx.stroke();
    }
    ctx.fillStyle = PAD;
    labels.keep([x, y], 9);
    const place = hasLabels && labels.place(pad.id, [x, y], 11, true);
    if (place) text(pad.id, ...place, true);
  }
}
// At a sensitive place stands how far off the spray is that adds most drift there.
function markReceptors(labels, hasLabels) {
  ctx.fillStyle = CARE;
  for (const place of P.receptors) {
    const at = toScreen(place.at);
    if (!isInView(at)) continue;
    labels.keep(at, 8);
    ctx.beginPath();
    for (let i = 0; i < 10; i++) {
      const angle = Math.PI * i / 5 - Math.PI / 2, r = i % 2 ? 3.4 : 8;
      ctx.lineTo(at[0] + r * Math.cos(angle), at[1] + r * Math.sin(angle));
    }
    ctx.closePath();
    ctx.fill();
    const words = [inLang(place, "kind"), place.far == null ? "" : `${place.far} m`].filter(Boolean).join(" · ");
    const free = hasLabels && words && labels.place(words, at, 10);
    if (free) text(words, ...free);
  }
}
// A zone's name stands at its corner in the north-west.
function nameZones(labels) {
  ctx.fillStyle = "#444";
  for (const zone of P.zones) {
    let best = -Infinity, corner = [0, 0];
    for (let i = 0, ring = zone.rings[0] || []; i < ring.length; i += 2)
      if (ring[i + 1] - ring[i] > best) {
        best = ring[i + 1] - ring[i];
        corner = [ring[i], ring[i + 1]];
      }
    const [x, y] = toScreen(corner), words = `${zone.id} ${zone.post}`;
    const free = isInView([x, y]) && labels.place(words, [x, y + 18], 10, true, true);
    if (free) text(words, ...free, true);
  }
}
// Drones come last, over all else; where their names stand is settled before any other name.
function placeDrones(drones, labels) {
  const seen = drones.map(drone => ({ ...drone, xy: toScreen(drone.at) }));
  seen.forEach(drone => labels.keep(drone.xy, 9));
  return seen.map(drone => ({ ...drone, free: labels.place(drone.words, drone.xy, 12, true, true) }));
}
function markDrone({ xy: [x, y], number, words, free }) {
  ctx.beginPath();
  ctx.arc(x, y, 8, 0, 7);
  ctx.fillStyle = P.colours[number % P.colours.length];
  ctx.fill();
  ctx.lineWidth = 2.5;
  ctx.strokeStyle = "#fff";
  ctx.stroke();
  ctx.fillStyle = INK;
  text(words, ...free, true);
}
function scaleAndNorth() {
  const H = canvas.clientHeight, want = 110 / view.k / 10;
  const power = 10 ** Math.floor(Math.log10(want));
  const metres = [5, 2, 1].find(f => f * power <= want) * power, width = metres * 10 * view.k;
  ctx.lineWidth = 4;
  ctx.strokeStyle = ctx.fillStyle = INK;
  ctx.beginPath();
  ctx.moveTo(16, H - 16); ctx.lineTo(16 + width, H - 16);
  ctx.stroke();
  ctx.fillStyle = INK;
  text(`${metres} m`, 16, H - 24, true);
  ctx.beginPath();
  ctx.moveTo(26, 14); ctx.lineTo(34, 38); ctx.lineTo(26, 32); ctx.lineTo(18, 38);
  ctx.closePath();
  ctx.fill();
  text("N", 21, 52, true);
}

function zoom(factor, x = canvas.clientWidth / 2, y = canvas.clientHeight / 2) {
  const [mx, my] = toMap(x, y);
  view.k = Math.min(200, Math.max(1e-3, view.k * factor));
  const [nx, ny] = toMap(x, y);
  view.x += mx - nx;
  view.y += my - ny;
  draw();
}
// The spot under a finger, or the nearest within 18 pixels.
function spotAt(x, y) {
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  const place = toMap(x, y);
  const inside = P.spots.find((_, i) => ctx.isPointInPath(shapes.spots[i], ...place, "evenodd"));
  if (inside) return inside;
  let near = null, least = 18;
  for (const spot of P.spots) {
    const [sx, sy] = toScreen(spot.at), away = Math.hypot(sx - x, sy - y);
    if (away < least) { least = away; near = spot; }
  }
  return near;
}
function listenToMap(onTap) {
  const fingers = new Map();
  let moved = 0;
  canvas.addEventListener("wheel", e => {
    e.preventDefault();
    zoom(Math.exp(-e.deltaY * 0.0015), e.offsetX, e.offsetY);
  }, { passive: false });
  canvas.addEventListener("pointerdown", e => {
    canvas.setPointerCapture(e.pointerId);
    fingers.set(e.pointerId, [e.offsetX, e.offsetY]);
    if (fingers.size === 1) moved = 0;
  });
  canvas.addEventListener("pointermove", e => {
    const was = fingers.get(e.pointerId), is = [e.offsetX, e.offsetY];
    if (!was) return;
    if (fingers.size === 1) {
      view.x -= (is[0] - was[0]) / view.k;
      view.y += (is[1] - was[1]) / view.k;
      moved += Math.hypot(is[0] - was[0], is[1] - was[1]);
      draw();
    } else {
      const other = [...fingers].find(([id]) => id !== e.pointerId)[1];
      const before = Math.hypot(was[0] - other[0], was[1] - other[1]);
      const after = Math.hypot(is[0] - other[0], is[1] - other[1]);
      moved = 99;
      if (before > 0) zoom(after / before, (is[0] + other[0]) / 2, (is[1] + other[1]) / 2);
    }
    fingers.set(e.pointerId, is);
  });
  const lift = e => {
    if (fingers.delete(e.pointerId) && moved <= 6 && e.type === "pointerup") onTap(e.offsetX, e.offsetY);
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  $("in").onclick = () => zoom(1.5);
  $("out").onclick = () => zoom(1 / 1.5);
  new ResizeObserver(() => draw()).observe(canvas.parentElement);
}
function facts(rows) {
  const list = el("dl");
  for (const [key, value] of rows)
    if (value !== "" && value != null) list.append(el("dt", t(key)), el("dd", value));
  return list;
}
