// Photos of documents, drawn by the browser: a sheet with its name and some lines.
export async function drawPhoto(page, title, scale = 1) {
	const url = await page.evaluate(({ name, scale }) => {
		const canvas = document.createElement("canvas");
		const width = 1200;
		const height = 760;
		canvas.width = width * scale;
		canvas.height = height * scale;
		const pen = canvas.getContext("2d");
		pen.scale(scale, scale);
		pen.fillStyle = "#e8eef5";
		pen.fillRect(0, 0, width, height);
		pen.strokeStyle = "#1b5fa7";
		pen.lineWidth = 12;
		pen.strokeRect(30, 30, width - 60, height - 60);
		pen.fillStyle = "#16324f";
		pen.textAlign = "center";
		pen.font = "bold 64px sans-serif";
		pen.fillText(name, width / 2, 210);
		pen.font = "bold 120px sans-serif";
		pen.fillStyle = "#b42318";
		pen.fillText("样 张", width / 2, 400);
		pen.fillStyle = "#8aa0b6";
		for (let line = 0; line < 4; line++) pen.fillRect(180, 490 + line * 55, 840 - line * 120, 20);
		return canvas.toDataURL("image/jpeg", 0.9);
	}, { name: title, scale });
	return {
		name: `${title}.jpg`,
		mimeType: "image/jpeg",
		buffer: Buffer.from(url.split(",")[1], "base64"),
	};
}
