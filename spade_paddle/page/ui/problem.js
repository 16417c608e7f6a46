// What goes wrong, in a form that the page can say in the person's language.

/** `code` names it for good (`error_<code>` in the dictionaries); `details` fills the sentence. */
export class Problem extends Error {
  constructor(code, { message = "", details = {}, retryAfter = null } = {}) {
    super(message || code);
    this.code = code;
    this.details = details;
    this.retryAfter = retryAfter;
  }
}
