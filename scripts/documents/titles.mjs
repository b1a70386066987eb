import { Converter } from 'typedoc';

/** A plugin of TypeDoc that names each guide after its first heading instead of its file. */
export function load(app) {
  app.converter.on(Converter.EVENT_CREATE_DOCUMENT, (_context, document) => {
    const text = document.content.map((part) => part.text).join('');
    const [, heading] = /^# (.+)$/m.exec(text) ?? [];
    if (heading) document.name = heading.replaceAll('`', '');
  });
}
