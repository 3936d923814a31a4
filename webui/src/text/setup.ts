/** What the settings say, in the language of the page. */
export { enSetup as s } from './en-setup';
