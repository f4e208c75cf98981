/** Puts a button into the raw section that saves the trials as JSON lines. */
export function offerDownload(jsonLines: string, fileName: string): void {
  const place = document.getElementById('download-place');
  if (place === null || jsonLines === '') return;
  const link = document.createElement('a');
  link.className = 'button';
  link.textContent = `Download ${String(jsonLines.trimEnd().split('\n').length)} trials as JSON lines`;
  link.download = fileName.replaceAll(/[^\w.-]/gu, '_');
  link.href = URL.createObjectURL(new Blob([jsonLines], { type: 'application/x-ndjson' }));
  place.replaceChildren(link);
}

/** Puts a copy button beside the command, where the browser lets a page write to the clipboard. */
export function offerCopy(): void {
  const command = document.getElementById('command');
  // Browsers leave the clipboard out on insecure origins.
  if (command === null || !('clipboard' in navigator)) return;
  const { clipboard } = navigator;
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'button';
  button.textContent = 'Copy the command';
  button.addEventListener('click', () => {
    clipboard.writeText(command.textContent).then(
      () => (button.textContent = 'Copied'),
      () => (button.textContent = 'Not allowed here: select the line and copy it'),
    );
  });
  command.parentElement?.after(button);
}
