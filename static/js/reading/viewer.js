// The pictures of a case under one shared view: window, level, zoom and pan are linked.

import { FULL, LEVEL_RANGE, PRESETS, WIDTH_RANGE, clamp, lookUpTable } from "./window.js";

const ZOOM_RANGE = [0.5, 16];
const GREY_PER_PX = 0.5;
const CLICK_PX = 3;

/** One picture on a canvas of its own size; the screen's size is a matter of CSS alone. */
class Panel {
  constructor(frame, picture) {
    this.frame = frame;
    this.picture = picture;
    this.canvas = frame.querySelector("canvas");
    this.canvas.width = picture.width;
    this.canvas.height = picture.height;
    this.context = this.canvas.getContext("2d");
    this.shown = new ImageData(picture.width, picture.height);
    this.words = new Uint32Array(this.shown.data.buffer);
  }

  paint(table) {
    const { grey } = this.picture;
    for (let at = 0; at < grey.length; at++) this.words[at] = table[grey[at]];
    this.context.putImageData(this.shown, 0, 0);
  }

  /** Scale at which the whole picture just fits its frame. */
  measure() {
    this.box = { width: this.frame.clientWidth, height: this.frame.clientHeight };
    this.fit = Math.min(this.box.width / this.picture.width, this.box.height / this.picture.height);
  }

  size(zoom) {
    const scale = this.fit * zoom;
    return { scale, width: this.picture.width * scale, height: this.picture.height * scale };
  }

  place({ zoom, centre }) {
    const { scale, width, height } = this.size(zoom);
    const x = this.box.width / 2 - centre.x * width;
    const y = this.box.height / 2 - centre.y * height;
    this.canvas.style.transform = `translate(${x}px, ${y}px) scale(${scale})`;
  }
}

export class Viewer {
  /** `onChange(view)` shows the figures; `onClick(place)` is a press that was no drag. */
  constructor({ onChange, onClick }) {
    this.onChange = onChange;
    this.onClick = onClick;
    this.inverted = false;
    this.panels = [];
    this.pointers = new Map();
    this.spaceHeld = false;
    this.sizes = new ResizeObserver(() => this.relayout());
    this.reset();
  }

  /** Inverting is a habit of the reader, not of the case: it stays. */
  reset() {
    Object.assign(this, FULL, { zoom: 1, centre: { x: 0.5, y: 0.5 } });
    this.repaint();
    this.replace();
  }

  show(frames, pictures) {
    this.sizes.disconnect();
    this.panels = frames.map((frame, place) => new Panel(frame, pictures[place]));
    this.reset();
    this.relayout();
    this.paintNow();
    frames.forEach((frame, place) => {
      this.sizes.observe(frame);
      this.listen(frame, place);
    });
  }

  relayout() {
    for (const panel of this.panels) panel.measure();
    this.replace();
  }

  replace() {
    for (const panel of this.panels) if (panel.box) panel.place(this);
    this.onChange(this);
  }

  /** At most one painting a frame, however fast the mouse is. */
  repaint() {
    this.due ??= requestAnimationFrame(() => this.paintNow());
    this.onChange(this);
  }

  paintNow() {
    cancelAnimationFrame(this.due);
    this.due = undefined;
    const words = Uint32Array.from(lookUpTable(this), (grey) => (0xff000000 | (grey * 0x010101)) >>> 0);
    for (const panel of this.panels) panel.paint(words);
  }

  invert() {
    this.inverted = !this.inverted;
    this.repaint();
  }

  preset(number) {
    const preset = PRESETS[number - 1];
    if (!preset) return;
    this.setWindow(preset);
  }

  setWindow({ level, width }) {
    this.level = clamp(level, LEVEL_RANGE);
    this.width = clamp(width, WIDTH_RANGE);
    this.repaint();
  }

  /** Right widens the window, up brightens, as on a workstation. */
  dragWindow(dx, dy) {
    this.setWindow({
      width: this.width + dx * GREY_PER_PX * 2,
      level: this.level + dy * GREY_PER_PX,
    });
  }

  pan(panel, dx, dy) {
    const { width, height } = panel.size(this.zoom);
    this.centre = {
      x: clamp(this.centre.x - dx / width, [0, 1]),
      y: clamp(this.centre.y - dy / height, [0, 1]),
    };
    this.replace();
  }

  /** What lies under `point` (pixels of the frame) stays under it. */
  zoomAt(panel, point, factor) {
    const before = panel.size(this.zoom);
    const off = { x: point.x - panel.box.width / 2, y: point.y - panel.box.height / 2 };
    const under = {
      x: this.centre.x + off.x / before.width,
      y: this.centre.y + off.y / before.height,
    };
    this.zoom = clamp(this.zoom * factor, ZOOM_RANGE);
    const after = panel.size(this.zoom);
    this.centre = {
      x: clamp(under.x - off.x / after.width, [0, 1]),
      y: clamp(under.y - off.y / after.height, [0, 1]),
    };
    this.replace();
  }

  zoomBy(factor) {
    const [panel] = this.panels;
    if (panel) this.zoomAt(panel, { x: panel.box.width / 2, y: panel.box.height / 2 }, factor);
  }

  listen(frame, place) {
    const panel = this.panels[place];
    const at = (event) => {
      const { left, top } = frame.getBoundingClientRect();
      return { x: event.clientX - left, y: event.clientY - top };
    };
    frame.addEventListener("pointerdown", (event) => this.press(event, frame, place));
    frame.addEventListener("pointermove", (event) => this.move(event, panel, at));
    for (const end of ["pointerup", "pointercancel"]) {
      frame.addEventListener(end, (event) => this.release(event));
    }
    frame.addEventListener("dblclick", () => this.reset());
    const wheel = (event) => {
      event.preventDefault();
      this.zoomAt(panel, at(event), Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0015)));
    };
    frame.addEventListener("wheel", wheel, { passive: false });
  }

  press(event, frame, place) {
    if (event.button > 1) return;
    event.preventDefault(); // no text selection, and no autoscroll on the middle button
    frame.setPointerCapture(event.pointerId);
    const pans = event.button === 1 || this.spaceHeld;
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, pans, moved: 0, place });
    frame.classList.toggle("panning", pans);
    this.onClick(place);
  }

  move(event, panel, at) {
    const pointer = this.pointers.get(event.pointerId);
    if (!pointer) return;
    const [dx, dy] = [event.clientX - pointer.x, event.clientY - pointer.y];
    pointer.moved += Math.abs(dx) + Math.abs(dy);
    if (pointer.moved <= CLICK_PX) return;
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
    const spread = other && Math.hypot(pointer.x - other.x, pointer.y - other.y);
    [pointer.x, pointer.y] = [event.clientX, event.clientY];
    if (other) this.pinch({ panel, point: at(event), pointer, other, spread, dx, dy });
    else if (pointer.pans) this.pan(panel, dx, dy);
    else this.dragWindow(dx, dy);
  }

  /** Two fingers: their distance zooms, their way pans. */
  pinch({ panel, point, pointer, other, spread, dx, dy }) {
    const now = Math.hypot(pointer.x - other.x, pointer.y - other.y);
    const middle = { x: point.x + (other.x - pointer.x) / 2, y: point.y + (other.y - pointer.y) / 2 };
    if (spread > 0) this.zoomAt(panel, middle, now / spread);
    this.pan(panel, dx / 2, dy / 2);
  }

  release(event) {
    this.pointers.delete(event.pointerId);
    event.currentTarget.classList.remove("panning");
  }
}
