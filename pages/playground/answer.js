// Hands what Python found at the point to the picker on the same chart.
export default function ({ data }) {
  channel(data.target).tell("answer", data);
}
