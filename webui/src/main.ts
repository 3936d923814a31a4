/** Starts the page. */
import { mount } from 'svelte';
import './styles/base.css';
import './styles/controls.css';
import './styles/prose.css';
import App from './ui/App.svelte';

const target = document.getElementById('app');
if (target) mount(App, { target });
