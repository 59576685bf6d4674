// What is shown about the token that is looked at. Beside it, until Escape, or until it is left.

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { leaveSoon, looked, stay, unlook } from './look';

/** Between the token, this box and the window's edges. */
const GAP = 6;

export function Beside() {
  const box = useRef<HTMLDivElement>(null);
  const look = looked.value;
  const open = look !== null;

  useLayoutEffect(() => {
    const place = () => look && box.current && placeBeside(look.element, box.current);
    place();
    addEventListener('scroll', place, { capture: true, passive: true });
    addEventListener('resize', place);
    return () => {
      removeEventListener('scroll', place, { capture: true });
      removeEventListener('resize', place);
    };
  }, [look]);

  useEffect(() => {
    if (!open) return;
    const onKeyDown = (event: KeyboardEvent) => event.key === 'Escape' && unlook();
    const onPointerDown = (event: PointerEvent) =>
      (event.target as Element).closest('.piece, .beside') ?? unlook();
    addEventListener('keydown', onKeyDown);
    addEventListener('pointerdown', onPointerDown);
    return () => {
      removeEventListener('keydown', onKeyDown);
      removeEventListener('pointerdown', onPointerDown);
    };
  }, [open]);

  return (
    // Always there, so that screen readers hear what comes into it.
    <div
      ref={box}
      class="beside"
      role="status"
      hidden={!open}
      data-testid="beside"
      onPointerEnter={stay}
      onPointerLeave={(event) => event.pointerType === 'mouse' && leaveSoon()}
    >
      {look?.about}
    </div>
  );
}

/** Below the token where there is room, else above it. */
function placeBeside(element: Element, box: HTMLElement): void {
  const at = element.getClientRects()[0];
  if (!at) {
    unlook();
    return;
  }
  const { width, height } = box.getBoundingClientRect();
  const below = at.bottom + GAP + height <= innerHeight;
  box.style.left = `${Math.max(GAP, Math.min(at.left, document.documentElement.clientWidth - width - GAP))}px`;
  box.style.top = `${below ? at.bottom + GAP : Math.max(GAP, at.top - GAP - height)}px`;
}
