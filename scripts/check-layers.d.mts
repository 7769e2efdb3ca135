export function checkLayers(src: string): { file: string; line: number; message: string }[];
