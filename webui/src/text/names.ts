/** The languages that can be chosen, each named in itself. */
export const NAMES = { en: 'English', de: 'Deutsch', 'zh-Hans': '简体中文' };
