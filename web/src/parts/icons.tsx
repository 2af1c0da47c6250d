// The page's pictures, drawn with the text's colour. What they mean always stands beside them in words.

const paths = {
  home: "M4 11.5 12 4l8 7.5M6.5 9.5V20h11V9.5M10 20v-5h4v5",
  trending: "M3 17l6-6 4 4 8-8M15 7h6v6",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.4a3.5 3.5 0 0 1 0 6.2M18 14.4a6.5 6.5 0 0 1 3.5 5.6",
  pipeline: "M2.5 12H7l3-7.5 4 15 3-7.5h4.5",
  profile: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 20.5a8 8 0 0 1 16 0",
  like: "M12 20.3S3.5 15.2 3.5 9.2A4.7 4.7 0 0 1 12 6.5a4.7 4.7 0 0 1 8.5 2.7c0 6-8.5 11.1-8.5 11.1z",
  comment: "M4 5h16v11H11l-5 4v-4H4z",
  share: "M12 15V4M8 7.5 12 3.5l4 4M5 12v8h14v-8",
  close: "M6 6l12 12M18 6 6 18",
  edit: "M4.5 19.5l1-4.3L16.2 4.5l3.3 3.3L8.8 18.5zM13.8 6.9l3.3 3.3",
  remove: "M4.5 7h15M9.5 7V4.5h5V7M6.5 7l.9 13h9.2l.9-13M10.2 10.8v5.4M13.8 10.8v5.4",
};

export function Icon({ name, filled = false }: { name: keyof typeof paths; filled?: boolean }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
      <path
        d={paths[name]}
        fill={filled ? "currentColor" : "none"}
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
    </svg>
  );
}
