/** Starts the page. */
import { mount } from 'svelte';
import './styles/base.css';
import './styles/controls.css';
import './styles/prose.css';
import './styles/code.css';
import './styles/print.css';
import { language } from './state/language.svelte';
import { version } from './state/version.svelte';
import App from './ui/App.svelte';
import { makeRoomForKeyboard } from './ui/keyboard-room';

await language.start();

const target = document.getElementById('app');
if (target) mount(App, { target });
makeRoomForKeyboard();
version.watch();
