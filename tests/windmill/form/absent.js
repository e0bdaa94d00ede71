// Stands for what the form imports and this page has no use for.
import Absent from './Absent.svelte';

export default Absent;
export const page = { url: new URL('http://localhost/'), params: {}, state: {} };
export const browser = true;
export const goto = () => {};
export const assetCanBeExplored = () => false;
export const randomUUID = () => crypto.randomUUID();
export const dragHandleZone = () => {};
