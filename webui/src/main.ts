/** Starts the page. */
import { mount } from 'svelte';
import './styles/base.css';
import './styles/controls.css';
import './styles/prose.css';
import './styles/print.css';
import { language } from './state/language.svelte';
import App from './ui/App.svelte';

await language.start();

const target = document.getElementById('app');
if (target) mount(App, { target });
