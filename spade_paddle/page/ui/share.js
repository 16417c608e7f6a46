// Showing a doodle and its picture to others: a link, a card, a time-lapse, the browser's share sheet.

import { serviceOf } from "./api.js";
import { makeCard } from "./card.js";
import { fileName, save } from "./files.js";
import { isEmpty } from "./grid.js";
import { translator } from "./i18n.js";
import { Problem } from "./problem.js";
import { readLink, writeLink } from "./share_link.js";
import { ShownPictures, framesOf, makeTimeLapse } from "./time_lapse.js";

const NOTICE_MS = 9000;

export class Share {
  /** `studio` holds the doodle and its look; `service` knows which address it is at. */
  constructor({ studio, service, store }) {
    this.studio = studio;
    this.service = service;
    this.store = store;
    this.pictures = new ShownPictures();
    this.making = null; // The time-lapse under way.
    this.timer = null;
    addEventListener("hashchange", () => this.openLink()); // A link pasted into the page's own address.
  }

  /** The doodle of the address, if it holds one, once the labels are those of the service. */
  openLink() {
    const text = location.hash.slice(1);
    const { labels, model, width, height } = this.store.get();
    if (!text || !this.studio.labelsAreFresh) return;
    history.replaceState(null, "", location.pathname + location.search);
    try {
      const { grid, look } = readLink(text, labels, { width, height }, model);
      this.studio.drawing.settle();
      this.studio.useGrid(grid, look);
      this.studio.looks.fit(this.store.get());
      if (look.held) this.studio.looks.setKeep(true); // Else the next picture would be in another light.
      this.studio.paintOnceReady();
      this.tell({ key: "link_opened" });
    } catch (problem) {
      this.failed(problem);
    }
  }

  /** Put the link into the clipboard; where that is refused, show it. */
  async copyLink() {
    try {
      const { link, lacksPhoto } = this.writeLink();
      try {
        await navigator.clipboard.writeText(link);
        this.tell({ key: lacksPhoto ? "link_without_photo" : "link_copied" });
      } catch {
        // Refused, or a page without https.
        this.tell({ key: lacksPhoto ? "link_to_copy_without_photo" : "link_to_copy", link });
      }
    } catch (problem) {
      this.failed(problem);
    }
  }

  writeLink() {
    const { labels, seed, style, held, model } = this.store.get();
    const { grid } = this.studio;
    if (isEmpty(grid)) throw new Problem("nothing_painted");
    const link = new URL(location.pathname, location.origin);
    const { base } = this.service;
    // Only where the page would not find the service by itself; whoever opens the link is asked about it.
    if (base !== serviceOf("", this.service.listed).base) link.searchParams.set("api", base);
    link.hash = writeLink(grid, labels, { seed, style, held }, model);
    return { link: link.href, lacksPhoto: style.kind === "photo" };
  }

  async saveCard() {
    save(await this.card(), fileName("card", "png"));
  }

  card() {
    const { picture, labels, language } = this.store.get();
    return makeCard(picture, labels, translator(language)("title"));
  }

  /** The card to another app. */
  async sendCard() {
    const card = await this.card();
    return this.studio.files.send(new File([card], fileName("card", "png"), { type: card.type }));
  }

  /** Make the time-lapse and save it, in pieces, so that one can go on drawing. */
  async saveTimeLapse() {
    const { labels, width, height, album, picture } = this.store.get();
    const { drawing } = this.studio;
    drawing.settle();
    if (!drawing.history.canUndo) return this.tell({ key: "time_lapse_no_steps" });
    const frames = framesOf(drawing.history, this.pictures.with(album), picture);
    const run = {};
    this.making = run;
    this.tell(null);
    const goOn = async (done) => {
      if (run === this.making) this.store.set({ timeLapse: { done, of: frames.length } });
      await new Promise((resolve) => setTimeout(resolve)); // Hands and screen first.
      return run === this.making;
    };
    try {
      const gif = await makeTimeLapse(frames, labels, { width, height }, goOn);
      if (gif) save(gif, fileName("time-lapse", "gif"));
    } finally {
      if (run === this.making) this.cancel();
    }
    return null;
  }

  cancel() {
    this.making = null;
    this.store.set({ timeLapse: null });
  }

  failed(problem) {
    if (!(problem instanceof Problem)) throw problem;
    this.tell({ key: `error_${problem.code}`, stays: true });
  }

  /** Say something: `{ key, link, stays }`, or null; it goes by itself unless it stays or has a link. */
  tell(notice) {
    clearTimeout(this.timer);
    this.store.set({ notice });
    if (notice && !notice.link && !notice.stays) {
      this.timer = setTimeout(() => this.tell(null), NOTICE_MS);
    }
  }
}
