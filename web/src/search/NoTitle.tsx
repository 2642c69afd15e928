/** Says that no thread is called so. */
export function NoTitle(props: { words: string }) {
  return <p class="side-note">No thread's title matches “{props.words}”.</p>;
}
