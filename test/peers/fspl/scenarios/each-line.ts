/** Each line is run as `fspl LINE`; only how it ends and where it writes is compared. */
export const eachLine = (lines: string): string => `
while IFS= read -r line; do
  printf '%s -> ' "$line"
  eval "fspl $line" </dev/null >out 2>err
  echo "exit $?, $([ -s out ] && echo out) $([ -s err ] && echo complained)"
  rm -f out err
done <<'END'
${lines.trim()}
END
`;
